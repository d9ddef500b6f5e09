"""The command line: what it prints, and how it refuses bad input."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from huggingface_hub import constants

from bertnesia import cli
from tests import tiny


def bertnesia(*arguments: object, columns: int = 80) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bertnesia.cli", *map(str, arguments)]
    environment = {"COLUMNS": str(columns), "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin", "NO_COLOR": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=200)


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command in this process; gives the one sentence it leaves on standard error with exit code 2."""

    def run(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["bertnesia", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        shown = capsys.readouterr()
        assert ended.value.code == 2, shown
        (line,) = [line for line in shown.err.splitlines() if line.startswith("Error:")]
        return line

    return run


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tiny models probed by the command itself."""
    root = tmp_path_factory.mktemp("probe")
    tiny.save_masked_lm(root / "models/base")
    tiny.save_masked_lm(root / "models/other", seed=1)
    tiny.write_lama(root / "lama")
    done = bertnesia(
        "probe", root / "models/base", root / "models/other", "--probes", "trex", "--data", root / "lama",
        "--kinds", "stock", "--out", root / "out", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert {(row["model"], row["layer"]) for row in rows} == {(m, i) for m in ("base", "other") for i in (1, 2, 3)}
    return root / "out/probe.duckdb"


def test_cloze_shows_every_layer_of_every_model_in_80_columns(database: Path) -> None:
    done = bertnesia("cloze", "anna was born in [MASK] .", "--db", database, "--kind", "stock", "--watch", "arlo")
    assert done.returncode == 0, done.stderr
    assert "base, mask 1" in done.stdout
    assert "other, mask 1" in done.stdout
    assert "rank of arlo" in " ".join(done.stdout.split())
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_cloze_as_json_holds_the_layers_asked_for(database: Path) -> None:
    done = bertnesia(
        "cloze", "anna was born in [MASK] .", "--db", database, "--kind", "stock",
        "--models", "other", "--layers", "2-3", "-k", 4, "--json",
    )  # fmt: skip
    (result,) = json.loads(done.stdout)
    assert result["model"] == "other"
    assert [layer["layer"] for layer in result["layers"]] == [2, 3]
    assert all(len(layer["tokens"]) == len(layer["probabilities"]) == 4 for layer in result["layers"])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["no mask here"], "The prompt has no mask: put [MASK] in place of the word to predict."),
        (["[MASK] .", "--models", "gpt"], "There is no model 'gpt'; there are: base, other."),
        (["[MASK] .", "-k", "0"], "k is 0, but must be between 1 and 100."),
        (["[MASK] .", "--layers", "9"], "There is no layer 9: this model has layers 1 to 3."),
        (["[MASK] .", "--kind", "best"], "There are no 'best' decoders of this model; there are: stock."),
    ],
)
def test_a_bad_cloze_is_one_sentence(
    database: Path, refused: Callable[..., str], arguments: list[str], sentence: str
) -> None:
    assert refused("cloze", *arguments, "--db", database) == f"Error: {sentence}"


def test_bad_input_leaves_no_traceback(database: Path) -> None:
    done = bertnesia("cloze", "no mask here", "--db", database)
    assert done.returncode == 2
    assert done.stdout == ""
    assert " ".join(done.stderr.split()) == (
        "Error: The prompt has no mask: put [MASK] in place of the word to predict."
    )


def test_a_missing_or_broken_database_is_one_sentence(tmp_path: Path, refused: Callable[..., str]) -> None:
    assert "There is no study at" in refused("cloze", "[MASK] .", "--db", tmp_path / "none.duckdb")
    broken = tmp_path / "broken.duckdb"
    broken.write_bytes(b"not a database" * 1000)
    assert "cannot be read as a study" in refused("cloze", "[MASK] .", "--db", broken)


def test_unreadable_files_are_one_sentence(tmp_path: Path, refused: Callable[..., str]) -> None:
    assert "Cannot read the study file" in refused("run", tmp_path / "none.toml")
    assert "There is no model folder" in refused("probe", tmp_path / "nowhere", "--probes", "atlas")
    assert "Cannot read the text file" in refused("pretrain", tmp_path / "none.txt", "--out", tmp_path / "out")
    text = tiny.write_text(tmp_path / "text.txt")
    assert "There is no model folder" in refused("train-decoders", tmp_path / "nowhere", text, "--out", tmp_path / "d")
    assert "There is no objective 'sing'" in refused(
        "finetune", "sing", text, "--base", tmp_path / "x", "--out", tmp_path / "y"
    )
    model = tiny.save_masked_lm(tmp_path / "model")
    assert "List should have at least 1 item" in refused("probe", model, "--kinds", "")
    (tmp_path / "taken").write_text("a file")
    assert "Cannot use" in refused("probe", model, "--kinds", "stock", "--out", tmp_path / "taken" / "out")
    assert "needs a package" in refused("pretrain", text, "--from", "package:no.such/model", "--out", tmp_path / "out")
    assert not list(tmp_path.glob("*out*")) + list(tmp_path.glob(".*"))


def test_every_step_works_from_the_command_line(tmp_path: Path) -> None:
    """Pretrain, fine-tune, train decoders and probe, each by its own command."""
    text, squad = tiny.write_text(tmp_path / "toy.txt"), tiny.write_squad(tmp_path / "squad.json")
    lama, models = tiny.write_lama(tmp_path / "lama"), tmp_path / "models"
    tiny.save_masked_lm(tmp_path / "start")
    steps: list[list[object]] = [
        ["pretrain", text, "--from", tmp_path / "start", "--out", models / "base", "--vocabulary-size", 0,
         "--steps", 4, "--batch-tokens", 256, "--evaluations", 1],
        ["finetune", "qa", squad, "--base", models / "base", "--out", models / "qa", "--epochs", 1, "--max-tokens", 32],
        ["train-decoders", models / "base", text, "--exclude", "trex", "--data", lama, "--steps", 2],
        ["train-decoders", models / "qa", text, "--base", models / "base", "--exclude", "trex", "--data", lama,
         "--steps", 2],
        ["probe", models / "base", models / "qa", "--probes", "trex", "--data", lama, "--out", tmp_path / "out"],
    ]  # fmt: skip
    for step in steps:
        done = bertnesia(*step)
        assert done.returncode == 0, (step, done.stderr)
    assert (tmp_path / "out/probe.duckdb").exists()
    assert "trex, macro average, trained decoders" in done.stdout
    assert "…" not in done.stdout, "no number is cut off in 80 columns"


def test_help_names_every_command() -> None:
    shown = bertnesia("--help").stdout
    for command in ("run", "probe", "train-decoders", "finetune", "pretrain", "cloze", "publish", "app"):
        assert command in shown


@pytest.mark.parametrize("command", sorted(typer.main.get_group(cli.app).commands))
def test_help_is_whole_in_80_columns_and_tells_no_folder_of_this_machine(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bertnesia", command, "--help"])
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        cli.main()
    shown = capsys.readouterr().out
    assert f"Usage: bertnesia {command}" in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown
    assert str(Path.cwd()) not in "".join(shown.split())
    for param in typer.main.get_group(cli.app).commands[command].params:
        said = " ".join((getattr(param, "help", None) or "").split())
        assert said, f"{param.name} is not explained"
        assert "[" not in said.replace("[MASK]", ""), "what stands in brackets is taken for markup and not shown"


def test_probe_says_how_many_facts_it_asked_and_why_not_the_others(tmp_path: Path) -> None:
    model = tiny.save_masked_lm(tmp_path / "model")
    rows = ["prompt,answer", "arlo is in [MASK] .,norland", "bexi is in [MASK] .,sudland"]
    rows += ["arlo was born in [MASK] .,qx", "bert lives in [MASK] .,xq", "anna lives in [MASK] .,north sea"]
    (tmp_path / "facts.csv").write_text("\n".join(rows))
    whole = "\n".join(rows[:3])
    (tmp_path / "whole.csv").write_text(whole)
    done = bertnesia(
        "probe", model, "--probes", f"{tmp_path / 'facts.csv'},{tmp_path / 'whole.csv'}", "--kinds", "stock",
        "--out", tmp_path / "out", "--json", columns=500,
    )  # fmt: skip
    said = done.stderr.splitlines()
    assert "facts: 2 of 5 facts asked. Left out: 2 (object is 2 tokens), 1 (object is 8 tokens)." in said
    assert "whole: 2 of 2 facts asked." in said
    assert f"Open it with: bertnesia app {tmp_path / 'out/probe.duckdb'}" in said
    assert {row["facts"] for row in json.loads(done.stdout)} == {2}


def test_a_model_that_is_nowhere_gets_the_advice_of_its_command(
    tmp_path: Path, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    one = refused("probe", "no-such-model", "--kinds", "stock", "--out", tmp_path / "out")
    assert "There is no folder no-such-model, and the hub" in one
    assert one.endswith("name the folder that holds the model, or go online.")
    two = refused("probe", "some/one", "some/two", "--kinds", "stock", "--out", tmp_path / "out")
    assert "There are no folders some/one, some/two, and the hub" in two
    assert two.endswith("name their folders, or go online.")
    assert "--models" not in one + two
    study = tmp_path / "study.toml"
    study.write_text('name = "s"\ntitle = "S"\nprobes = ["atlas"]\n[[models]]\nname = "m"\ncheckpoint = "some/one"\n')
    assert "name that with --models" in refused("run", study, "--work", tmp_path / "work")


def test_missing_data_comes_with_the_command_that_fetches_it(tmp_path: Path, refused: Callable[..., str]) -> None:
    model, data = tiny.save_masked_lm(tmp_path / "model"), tmp_path / "data"
    asked = ["probe", model, "--kinds", "stock", "--out", tmp_path / "out", "--probes"]
    assert "'bertnesia download lama --to data' fetches LAMA into the folder data." in refused(*asked, "trex")
    assert "'bertnesia download bear --to data' fetches BEAR into the folder data." in refused(*asked, "bear")
    assert f"'bertnesia download lama --to {data}' fetches LAMA." in refused(*asked, "squad", "--data", data)
    data.mkdir()
    assert f"'bertnesia download lama --to {data}' fetches them." in refused(*asked, "trex", "--data", data)
    assert f"'bertnesia download bear --to {data}' fetches it." in refused(*asked, "bear", "--data", data)
    text = data / "wikitext-2-raw/wiki.train.raw"
    sentence = f"'bertnesia download wikitext2 --to {data}' fetches it."
    assert sentence in refused("train-decoders", model, text, "--out", tmp_path / "decoders")
    assert sentence in refused("pretrain", text, "--out", tmp_path / "new")
    squad, out = data / "squad/train-v1.1.json", tmp_path / "qa"
    assert f"'bertnesia download squad --to {data}' fetches it." in refused(
        "finetune", "qa", squad, "--base", model, "--out", out
    )
    study = tmp_path / "study.toml"
    study.write_text(
        'name = "s"\ntitle = "S"\nprobes = ["atlas"]\ntext = ["wikitext-2-raw/wiki.valid.raw"]\n'
        f'[[models]]\nname = "m"\ncheckpoint = "{model}"\n[decoders]\nkinds = ["trained"]\n'
    )
    assert sentence in refused("run", study, "--data", data, "--work", tmp_path / "work")
    assert "fetches" not in refused("pretrain", data / "mine.txt", "--out", tmp_path / "new")
