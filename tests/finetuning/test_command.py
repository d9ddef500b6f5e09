"""`bertnesia finetune` as it is typed."""

import re

import pytest
from typer.testing import CliRunner

from bertnesia.cli.training import app
from bertnesia.errors import BertnesiaError
from bertnesia.models.checkpoints import read_provenance
from tests import tiny

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    tiny.save_masked_lm(folder / "base", layers=2)
    tiny.write_squad(folder / "toy.json")
    tiny.write_text(folder / "toy.txt")
    tiny.write_lama(folder / "lama")
    return folder


def call(*arguments):
    return RUNNER.invoke(app, ["finetune", *map(str, arguments)], catch_exceptions=False)


def test_every_option_reaches_the_settings(world, tmp_path):
    done = call(
        *("mlm", world / "toy.txt", "--base", world / "base", "--out", tmp_path / "mlm", "--steps", 3, "--share", 0.5),
        *("--matched", "steps", "--held-out", 0.3, "--most-held-out", 7, "--answerable-only", "--masked", 0.25),
        *("--negatives", 2, "--candidates", 9, "--batch-tokens", 128, "--max-tokens", 40, "--learning-rate", 2e-3),
        *("--warmup", 0.2, "--weight-decay", 0.1, "--evaluations", 1, "--seed", 4),
    )
    provenance = read_provenance(tmp_path / "mlm")

    assert done.exit_code == 0
    assert f"Saved {tmp_path / 'mlm'}" in done.stdout.replace("\n", "")
    assert provenance["steps"] == 3
    assert provenance["settings"] == {
        "max_tokens": 40,
        "stride": 10,
        "held_out": 0.3,
        "most_held_out": 7,
        "share": 0.5,
        "matched": "steps",
        "answerable_only": True,
        "masked": 0.25,
        "negatives": 2,
        "candidates": 9,
        "epochs": None,
        "schedule": {
            "steps": 3,
            "batch_tokens": 128,
            "learning_rate": 2e-3,
            "warmup": 0.2,
            "weight_decay": 0.1,
            "seed": 4,
            "evaluations": 1,
        },
    }


def test_a_run_is_probed_on_its_way(world, tmp_path):
    done = call(
        *("qa", world / "toy.json", "--base", world / "base", "--out", tmp_path / "qa", "--steps", 4),
        *("--batch-tokens", 64, "--max-tokens", 32, "--probe-at", "25%,100%", "--probes", "trex"),
        *("--data", world / "lama", "--decoders-at", "100%", "--text", world / "toy.txt", "--decoder-steps", 2),
    )
    rows = [re.findall(r"[\d.]+%", line) for line in done.stdout.splitlines() if re.search(r"│ [14] +│", line)]

    assert done.exit_code == 0
    assert "P@1 on trex, stock" in done.stdout
    assert "P@1 on trex, trained" in done.stdout
    assert [len(row) for row in rows] == [2, 2, 2]
    assert sorted(path.name for path in (tmp_path / "qa.steps").glob("*.json")) == ["qa@1.json", "qa@4.json"]
    assert (tmp_path / "qa.steps" / "decoders" / "qa@4" / "trained" / "config.json").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--matched", "hours"], "matched: Input should be 'epochs' or 'steps'"),
        (["--probe-at", "5"], "'5' is not a point of a run"),
        (["--probe-at", "5%", "--decoders-at", "5%"], "Decoders are trained on text: name its files with --text"),
        (["--probe-at", "5%", "--probes", "trexx"], "There is no probe set trexx"),
        (["--decoders-at", "5%"], "--decoders-at needs --probe-at"),
    ],
)
def test_bad_options_are_told_in_a_sentence(world, tmp_path, options, sentence):
    with pytest.raises(BertnesiaError, match=sentence):
        call("qa", world / "toy.json", "--base", world / "base", "--out", tmp_path / "qa", *options)
    assert not list(tmp_path.iterdir())
