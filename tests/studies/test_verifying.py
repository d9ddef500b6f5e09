"""Verifying a published study: nothing differs at first, and each kind of damage is told in a sentence."""

import re
import shutil
import sys
from pathlib import Path

import duckdb
import pytest
import torch
from safetensors.torch import load_file, save_file

from bertnesia import cli
from bertnesia.errors import BertnesiaError
from bertnesia.files import read_json, write_json
from bertnesia.models.encoder import state_hash
from bertnesia.store.study import close_study, open_study
from bertnesia.studies.run import StudyRun
from bertnesia.studies.spec import DecoderSpec, read_study
from bertnesia.studies.stages import publish_study, run_study
from bertnesia.studies.verifying import Check, verify
from tests import tiny
from tests.studies.test_stages import STUDY


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `toy.duckdb` and `models`, and beside it the data."""
    root = tmp_path_factory.mktemp("toy")
    tiny.write_text(root / "data/text/toy.txt")
    tiny.write_squad(root / "data/squad/toy.json")
    tiny.write_lama(root / "data/lama")
    (root / "toy.toml").write_text(STUDY)
    spec = read_study(root / "toy.toml")
    kinds = {"kinds": ["trained", "stock", "base"], "base_kinds": ["random"], "predictions": []}
    decoders = DecoderSpec(**kinds, settings=spec.decoders.settings)
    variants = ["subject_masked", "subject_swapped"]
    spec = spec.model_copy(update={"decoders": decoders, "variants": variants, "sample": 0.7})
    run = StudyRun(spec, root / "data", root / "work")
    run_study(run)
    publish_study(run, root / "published")
    return root / "published"


@pytest.fixture
def copy(published: Path, tmp_path: Path) -> Path:
    shutil.copytree(published, tmp_path / "published")
    shutil.copytree(published.parent / "data/lama", tmp_path / "data/lama")
    return tmp_path / "published"


def check(folder: Path) -> list[Check]:
    return verify(folder, folder.parent / "data", facts=12, seed=0)


def sentences(folder: Path) -> list[str]:
    return [sentence for one in check(folder) for sentence in one.mismatches]


def change_a_weight(path: Path, name: str | None = None) -> None:
    tensors = load_file(path)
    chosen = name or next(iter(tensors))
    tensors[chosen] = tensors[chosen] + 0.25
    save_file(tensors, path)


def test_what_was_published_is_as_published(copy: Path) -> None:
    checks = check(copy)
    assert [one.mismatches for one in checks] == [()] * 6
    counted = {re.sub(r"^toy.duckdb: ", "", one.what): one.checked for one in checks}
    plain_and_masked = open_study(copy / "toy.duckdb").query(
        "SELECT count(*) AS n FROM ranks "
        "WHERE model = 'qa' AND kind = 'trained' AND layer = 1 AND variant <> 'subject_swapped'"
    )
    assert plain_and_masked["n"].item() == 2 * 20
    assert counted["models"] == 2
    assert counted["decoders of layers"] == 2 * 2 + 3 * 2
    assert counted["probe files"] == 3
    assert counted["facts"] == 20
    # In both layers each of 12 facts plain and with its subject masked, by two kinds of the base and three of its
    # sibling, and some facts of the sample with another subject, by the trained one.
    assert 2 * 4 * 12 < counted["ranks of base, 12 facts"] < 2 * (4 * 12 + 12)
    assert counted["ranks of qa, 12 facts"] == counted["ranks of base, 12 facts"] + 2 * 2 * 12


def test_changed_weights_of_an_encoder_are_found(copy: Path) -> None:
    change_a_weight(copy / "models/qa/model.safetensors", "bert.encoder.layer.0.output.dense.weight")
    found = " ".join(sentences(copy))
    assert "qa: the decoders in" not in found or "trained for another encoder" in found
    assert "another encoder" in found


def test_a_changed_decoder_is_found(copy: Path) -> None:
    change_a_weight(copy / "models/qa/decoders/trained/layer-1.safetensors")
    (sentence,) = sentences(copy)
    assert "layer-1.safetensors is damaged" in sentence


def test_a_decoder_with_a_fitting_hash_of_its_own_is_still_another_one(copy: Path) -> None:
    """Weights and config replaced together, as by training again: the study's own hash and ranks tell."""
    folder = copy / "models/base/decoders/trained"
    change_a_weight(folder / "layer-2.safetensors", "bias")
    config = read_json(folder / "config.json")
    tensors = load_file(folder / "layer-2.safetensors")
    tensors["bias"] = torch.flip(tensors["bias"], [0])
    save_file(tensors, folder / "layer-2.safetensors")
    config["layers"][1]["hash"] = state_hash(tensors)
    write_json(folder / "config.json", config)
    found = sentences(copy)
    assert "base: its trained decoder of layer 2 is another one." in found
    assert "qa: its base decoder of layer 2 is another one." in found
    assert any("base, trained decoder of layer 2, plain prompt of fact" in sentence for sentence in found)
    assert not any("layer 1," in sentence for sentence in found)


def test_changed_ranks_are_found(copy: Path) -> None:
    with duckdb.connect(str(copy / "toy.duckdb")) as connection:
        connection.execute("UPDATE ranks SET rank = rank + 1 WHERE model = 'qa' AND kind = 'stock' AND layer = 2")
        connection.execute(
            "UPDATE ranks SET log_probability = log_probability - 0.01 WHERE model = 'base' AND kind = 'stock'"
        )
    found = sentences(copy)
    ranks = [sentence for sentence in found if "qa, stock decoder of layer 2" in sentence]
    logs = [sentence for sentence in found if "base, stock decoder" in sentence]
    assert all(re.search(r": the rank is (\d+), in the study \d+\.$", sentence) for sentence in ranks)
    assert all("the log-probability is" in sentence for sentence in logs)
    assert len(found) == len(ranks) + len(logs)
    assert len(ranks) >= 12
    assert len(logs) >= 48


def test_one_rank_beside_a_near_tie_is_put_down_to_rounding(copy: Path) -> None:
    """As another processor would give it; two of so few are not, nor one that moved further."""
    move(copy, "TRUE", 7)
    drawn = sorted({int(fact) for fact in re.findall(r"plain prompt of fact (\d+)", " ".join(sentences(copy)))})
    move(copy, "TRUE", -7)
    one, two = (f"fact = (SELECT fact FROM facts WHERE id = {fact})" for fact in drawn[:2])
    for where, places, told, rounded in ((one, 1, 0, 1), (two, 1, 2, 0), (two, -1, 0, 1), (one, 1, 1, 0)):
        move(copy, where, places)
        checks = check(copy)
        assert sum(len(found.mismatches) for found in checks) == told
        assert sum(found.rounded for found in checks) == rounded


def move(copy: Path, where: str, places: int) -> None:
    """Change the ranks of one decoder in the database."""
    path = copy / "toy.duckdb"
    close_study(open_study(path))
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"UPDATE ranks SET rank = rank + {places} "
            f"WHERE model = 'qa' AND kind = 'stock' AND layer = 2 AND variant = 'plain' AND {where}"
        )


def test_a_changed_probe_file_is_found(copy: Path) -> None:
    path = copy.parent / "data/lama/TREx/P19.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-1]) + "\n")
    found = sentences(copy)
    assert "trex: the file TREx/P19.jsonl has changed or is missing." in found
    assert "trex: the files hold other facts than the study." in found


def test_missing_models_and_probe_sets_are_told(copy: Path) -> None:
    shutil.rmtree(copy / "models/qa")
    assert any(sentence.startswith("qa: ") for sentence in sentences(copy))
    assert any("trex" in sentence for one in verify(copy, None, 5, 0) for sentence in one.mismatches)


def test_a_folder_without_a_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BertnesiaError, match="There is no database"):
        verify(tmp_path)


def test_the_command_says_what_it_checked(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["verify", str(copy), "--data", str(copy.parent / "data"), "--facts", "5", "--seed", "1"]
    monkeypatch.setattr(sys, "argv", ["bertnesia", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    assert capsys.readouterr().out.count("as published") == 6
    change_a_weight(copy / "models/qa/decoders/trained/layer-1.safetensors")
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    shown = capsys.readouterr()
    assert "1 differ" in shown.out
    assert "layer-1.safetensors is damaged" in shown.err
