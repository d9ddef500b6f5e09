"""Files and folders are whole or absent."""

from pathlib import Path

import pytest

from bertnesia.errors import BertnesiaError
from bertnesia.files import digest, read_json, replacing_file, replacing_folder, write_json


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing_file(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_folder_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    with replacing_folder(folder) as partial:
        (partial / "weights").write_text("old")
    with pytest.raises(RuntimeError), replacing_folder(folder) as partial:
        (partial / "weights").write_text("half")
        raise RuntimeError
    assert (folder / "weights").read_text() == "old"
    assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    for name in ("first", "second"):
        with replacing_folder(folder) as partial:
            (partial / name).write_text(name)
    assert [path.name for path in folder.iterdir()] == ["second"]
    assert list(tmp_path.iterdir()) == [folder]


def test_a_digest_depends_on_values_not_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})


def test_json_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    write_json(tmp_path / "good.json", {"ä": 1})
    assert read_json(tmp_path / "good.json") == {"ä": 1}
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(BertnesiaError, match=r"bad.json is not valid JSON"):
        read_json(tmp_path / "bad.json")
    with pytest.raises(BertnesiaError, match=r"Cannot read .*none.json"):
        read_json(tmp_path / "none.json")
