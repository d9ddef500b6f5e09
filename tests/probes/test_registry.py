from pathlib import Path

import pytest

from bertnesia.errors import BertnesiaError
from bertnesia.probes import probe_set_names, read_probe_sets, register_probe_set
from bertnesia.probes.facts import ProbeSet

from .lama_files import small_lama, write_folder


def test_probe_sets_come_in_the_order_asked_for_and_once(tmp_path: Path) -> None:
    write_folder(tmp_path / "lama", small_lama())
    found = read_probe_sets(["squad", "atlas", "trex", "squad"], tmp_path)
    assert [probe_set.name for probe_set in found] == ["squad", "atlas", "trex"]
    assert [len(probe_set.facts) for probe_set in (found[0], found[2])] == [2, 2]


def test_unknown_names_and_missing_data_are_clear_errors() -> None:
    with pytest.raises(BertnesiaError, match=r"no probe set wiki; there are .*atlas.*squad.*trex"):
        read_probe_sets(["atlas", "wiki"], None)
    with pytest.raises(BertnesiaError, match="trex does not ship"):
        read_probe_sets(["trex"], None)


def test_further_readers_join_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bertnesia.probes.registry._readers", {})
    empty = ProbeSet("mine", (), ())
    register_probe_set("mine", lambda data: empty)
    assert probe_set_names() == ["mine"]
    assert read_probe_sets(["mine"], None) == [empty]
    with pytest.raises(ValueError, match="registered already"):
        register_probe_set("mine", lambda data: empty)
