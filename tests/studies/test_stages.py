"""A whole study, from text and probe files to a database, on a tiny model made on the fly."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from bertnesia.errors import BertnesiaError
from bertnesia.live import live_models
from bertnesia.store.study import Study, open_study
from bertnesia.studies.publishing import copy_models
from bertnesia.studies.run import StudyRun
from bertnesia.studies.spec import DecoderSpec, ModelSpec, read_study
from bertnesia.studies.stages import run_study
from tests import tiny

STUDY = """
name = "toy"
title = "A toy study"
probes = ["trex"]
text = ["text/toy.txt"]

[[models]]
name = "base"
[models.pretrain.settings]
vocabulary_size = 200
hidden_size = 32
layers = 2
decoder_share = 0.4
validation_share = 0.15
schedule = { steps = 40, batch_tokens = 512, learning_rate = 5e-3, evaluations = 4 }

[[models]]
name = "qa"
[models.finetune]
objective = "qa"
data = ["squad/toy.json"]
[models.finetune.settings]
max_tokens = 32
stride = 8
held_out = 0.25
epochs = 3
schedule = { batch_tokens = 256, learning_rate = 1e-3, evaluations = 1 }

[decoders]
exclude = ["trex"]
[decoders.settings]
decoder_share = 0.4
validation_share = 0.15
schedule = { steps = 10, batch_tokens = 256, evaluations = 2 }
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    tiny.write_text(root / "text/toy.txt")
    tiny.write_squad(root / "squad/toy.json")
    tiny.write_lama(root / "lama")
    (root / "toy.toml").write_text(STUDY)
    return root


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> StudyRun:
    study_run = StudyRun(read_study(data / "toy.toml"), data, tmp_path_factory.mktemp("runs") / "toy")
    run_study(study_run)
    return study_run


@pytest.fixture(scope="module")
def study(run: StudyRun) -> Study:
    return open_study(run.database)


def test_the_database_holds_a_rank_for_every_model_kind_layer_and_fact(study: Study) -> None:
    eligible = study.query("SELECT count(*) AS n FROM facts WHERE eligible")["n"].item()
    facts = study.query("SELECT count(*) AS n FROM facts")["n"].item()
    assert facts == len(tiny.TOWNS) + len(tiny.PEOPLE)
    assert 0 < eligible <= facts
    counts = study.query("SELECT model, kind, layer, count(*) AS n FROM ranks GROUP BY ALL ORDER BY ALL")
    expected = [(m, k, layer, eligible) for m in ("base", "qa") for k in ("stock", "trained") for layer in (1, 2)]
    assert list(counts.itertuples(index=False, name=None)) == expected


def test_models_say_where_they_come_from(study: Study, run: StudyRun) -> None:
    models = study.models().set_index("model")
    assert models.loc["qa", "base"] == "base"
    assert pd.isna(models.loc["base", "base"])
    assert models.loc["qa", "objective"] == "qa"
    assert (models["layers"] == 2).all()
    assert models["encoder_hash"].nunique() == 2
    assert models["vocabulary_hash"].nunique() == 1
    for folder in models["folder"]:
        assert not Path(folder).is_absolute()
        assert (run.database.parent / folder / "model.safetensors").exists()


def test_a_stored_rank_is_the_models_own(study: Study, run: StudyRun) -> None:
    """The base's last layer with its own head, against transformers alone."""
    rows = study.query(
        "SELECT fact, object, prompt, rank, log_probability FROM ranks JOIN facts USING (fact) "
        "WHERE model = 'base' AND kind = 'stock' AND layer = 2"
    )
    folder = run.work / "models/base"
    model = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32).eval()
    words = AutoTokenizer.from_pretrained(folder)
    for row in rows.itertuples():
        inputs = words(row.prompt, return_tensors="pt")
        with torch.no_grad():
            scores = model(**inputs).logits[0, inputs["input_ids"][0].tolist().index(words.mask_token_id)]
        answer = words.convert_tokens_to_ids(row.object)
        assert row.rank == 1 + int((scores > scores[answer]).sum())
        assert row.log_probability == pytest.approx(float(scores.log_softmax(0)[answer]), abs=6e-4)


def test_decoders_and_training_curves_are_recorded(study: Study) -> None:
    decoders = study.query("SELECT * FROM decoders")
    assert len(decoders) == 2 * 2 * 2
    assert decoders["loss"].notna().all()
    merged = decoders.pivot_table(index=["model", "layer"], columns="kind", values="loss")
    assert (merged["trained"] <= merged["stock"]).all()
    curves = study.query("SELECT DISTINCT model, run, score FROM training")
    assert {("base", "model", "accuracy"), ("qa", "model", "f1"), ("qa", "decoder", "loss")} <= set(
        curves.itertuples(index=False, name=None)
    )


def test_a_second_run_does_nothing_again_and_gives_the_same_database(run: StudyRun, study: Study) -> None:
    before = {path: path.stat().st_mtime_ns for path in run.work.rglob("*") if path.is_file() and path != run.database}
    run_study(run)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    columns = "model, kind, layer, fact, rank, filtered_rank, ties, log_probability"
    pd.testing.assert_frame_equal(
        study.query(f"SELECT {columns} FROM ranks"), open_study(run.database).query(f"SELECT {columns} FROM ranks")
    )


def test_finished_models_are_used_without_training_data(run: StudyRun, data: Path, tmp_path: Path) -> None:
    only_lama = tmp_path / "data"
    shutil.copytree(data / "lama", only_lama / "lama")
    again = StudyRun(run.spec, only_lama, tmp_path / "work", models=run.work / "models")
    columns = "model, kind, layer, fact, rank"
    pd.testing.assert_frame_equal(
        open_study(run_study(again)).query(f"SELECT {columns} FROM ranks"),
        open_study(run.database).query(f"SELECT {columns} FROM ranks"),
    )


def test_a_run_killed_in_the_middle_ends_the_same(run: StudyRun, data: Path, tmp_path: Path) -> None:
    """Killed once a checkpoint of the base is there, then run to the end: the same ranks, row for row."""
    command = [sys.executable, "-m", "bertnesia.cli", "run", str(data / "toy.toml"), "--data", str(data)]
    process = subprocess.Popen([*command, "--work", str(tmp_path / "toy")], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("toy/models/.base.training/checkpoint-*/complete.json")):
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "toy/toy.duckdb").exists()
    database = run_study(StudyRun(run.spec, data, tmp_path / "toy"))
    columns = "model, kind, layer, fact, rank, log_probability"
    pd.testing.assert_frame_equal(
        open_study(database).query(f"SELECT {columns} FROM ranks"),
        open_study(run.database).query(f"SELECT {columns} FROM ranks"),
    )


def test_a_model_made_with_other_settings_is_not_overwritten(run: StudyRun, data: Path) -> None:
    base, qa = run.spec.models
    assert qa.finetune
    other = qa.finetune.settings.model_copy(update={"epochs": 1.0})
    changed = qa.model_copy(update={"finetune": qa.finetune.model_copy(update={"settings": other})})
    spec = run.spec.model_copy(update={"models": [base, changed]})
    with pytest.raises(BertnesiaError, match="qa was made with other settings or data"):
        run_study(StudyRun(spec, data, run.work))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("title =", "titel ="), "title: Field required"),
        (('name = "toy"', 'name = "toy'), "not valid TOML"),
        (('name = "qa"', 'name = "base"'), "two models are called 'base'"),
        (("[models.pretrain.settings]", "[models.checkpoint]"), "models.0"),
        (("steps = 40", "steps = 0"), "models.0.pretrain.settings.schedule.steps"),
        (("decoder_share = 0.4", "decoder_share = 0.5"), "must split the text alike"),
    ],
)
def test_a_fault_in_the_study_file_is_named(tmp_path: Path, change: tuple[str, str], fault: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(STUDY.replace(*change, 1))
    with pytest.raises(BertnesiaError, match=fault) as caught:
        read_study(path)
    assert str(path) in str(caught.value)


def test_missing_data_is_named(data: Path, tmp_path: Path) -> None:
    spec = read_study(data / "toy.toml")
    with pytest.raises(BertnesiaError, match=r"The probe set trex does not ship: say where"):
        run_study(StudyRun(spec, None, tmp_path / "a"))
    shutil.copytree(data / "lama", tmp_path / "data/lama")
    with pytest.raises(BertnesiaError, match=r"needs the file squad/toy.json, which is not in"):
        run_study(StudyRun(spec, tmp_path / "data", tmp_path / "b"))
    atlas = spec.model_copy(update={"probes": ["atlas"]})
    with pytest.raises(BertnesiaError, match=r"needs the file squad/toy.json: name the folder that holds it"):
        run_study(StudyRun(atlas, None, tmp_path / "c"))
    assert not list(tmp_path.glob("[abc]")), "missing data is told before anything is made"


def test_models_from_elsewhere_are_asked_live_but_not_copied(run: StudyRun, data: Path, tmp_path: Path) -> None:
    """A study of checkpoints: their folders stand in the database relative to it, wherever they are."""
    models = [
        ModelSpec(name="one", checkpoint=str(run.work / "models/base")),
        ModelSpec(name="two", checkpoint=str(run.work / "models/qa")),
    ]
    spec = run.spec.model_copy(update={"models": models, "decoders": DecoderSpec(kinds=["stock"])})
    elsewhere = StudyRun(spec, data, tmp_path / "work")
    study = open_study(run_study(elsewhere))
    assert study.models()["objective"].tolist() == ["mlm", "qa"]
    results = live_models(study).predict("anna was born in [MASK] .", ["one", "two"], "stock", k=1)
    assert [result.model for result in results] == ["one", "two"]
    with pytest.raises(BertnesiaError, match="one is a checkpoint from elsewhere"):
        copy_models(elsewhere, tmp_path / "copy")


def test_decoder_text_leaves_out_the_facts_of_the_studys_own_probe_sets(run: StudyRun) -> None:
    spec = run.spec.model_copy(update={"decoders": DecoderSpec(exclude=[])})
    facts = StudyRun(spec, run.data, run.work).facts_left_out
    assert len(facts) == len(tiny.TOWNS) + len(tiny.PEOPLE)
