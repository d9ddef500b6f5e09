"""A study that grows: what was published before is taken from there, row for row, and nothing of it is made again."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.finetune import finetune
from bertnesia.models.encoder import encoder_hash, load_encoder
from bertnesia.store.study import Study, open_study
from bertnesia.studies.keeping import keep_results
from bertnesia.studies.planning import plan
from bertnesia.studies.run import StudyRun, without_lost_points
from bertnesia.studies.spec import StudySpec, read_study
from bertnesia.studies.stages import publish_study, run_study
from tests import tiny
from tests.studies.test_controls import write_world

TABLES = (
    "models",
    "decoders",
    "ranks",
    "predictions",
    "training",
    "facts",
    "coverage",
    "layer_counts",
    "best",
    "asked",
)
MORE = """
[[models]]
name = "qa-more"
label = "QA, more"
role = "seed"
variant_of = "qa"
seed = 9
kinds = ["stock"]
"""


STEP = """
[[models]]
name = "qa-early"
role = "step"
variant_of = "qa"
at = 0.5
kinds = ["trained"]
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_world(tmp_path_factory.mktemp("data"))
    (root / "more.toml").write_text((root / "toy.toml").read_text().replace("[decoders]\n", f"{MORE}\n[decoders]\n"))
    return root


@pytest.fixture(scope="module")
def shipped(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study without its last model, published in a folder of its own, its work folder gone."""
    folder = tmp_path_factory.mktemp("shipped")
    run = StudyRun(read_study(data / "toy.toml"), data, tmp_path_factory.mktemp("work"))
    run_study(run, folder)
    return folder


def grown(spec: StudySpec, data: Path, shipped: Path, work: Path) -> StudyRun:
    return keep_results(StudyRun(spec, data, work, shipped / "models"), shipped / "toy.duckdb")


def rows(study: Study, table: str, models: list[str]) -> pd.DataFrame:
    found = study.query(f"SELECT * FROM {table} ORDER BY ALL")
    return found[found["model"].isin(models)].reset_index(drop=True) if "model" in found else found


def test_a_study_grows_by_one_model_and_keeps_the_others(data: Path, shipped: Path, tmp_path: Path) -> None:
    run = grown(read_study(data / "more.toml"), data, shipped, tmp_path)
    assert [model.name for model in run.wanted] == ["qa-more"]
    assert run.kept
    assert [step.partition("@")[0] for step in run.kept.steps] == ["qa"]
    stages = [(stage.name, stage.what) for stage in plan(run)]
    assert stages[0][0] == "keep"
    assert [what for name, what in stages if name == "fine-tune"] == ["qa-more"]
    new, old = open_study(run_study(run)), open_study(shipped / "toy.duckdb")
    assert {path.name for path in (tmp_path / "models").iterdir()} == {"qa-more"}
    before = old.models()["model"].tolist()
    assert set(new.models()["model"]) == {*before, "qa-more"}
    for table in TABLES:
        made = rows(new, table, before)
        if table == "models":
            expected = rows(old, table, before)
            places = ["folder", "decoder_folder", "position"]
            pd.testing.assert_frame_equal(made.drop(columns=places), expected.drop(columns=places))
            assert list(new.models()["position"]) == list(range(len(new.models())))
        else:
            pd.testing.assert_frame_equal(made, rows(old, table, before))
    assert len(rows(new, "ranks", ["qa-more"])) > 0


def test_a_point_is_added_to_a_run_that_is_over(data: Path, shipped: Path, tmp_path: Path) -> None:
    """The sibling that ships is left alone; its training is begun again, as far as the point."""
    (data / "step.toml").write_text((data / "toy.toml").read_text().replace("[decoders]\n", f"{STEP}\n[decoders]\n"))
    run = grown(read_study(data / "step.toml"), data, shipped, tmp_path)
    assert [model.name for model in run.wanted] == ["qa-early"]
    (training,) = (stage for stage in plan(run) if stage.name == "fine-tune")
    assert training.what == "qa, as far as 50%"
    study = open_study(run_study(run))
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["qa-early"], "nothing is left of the run"
    model = run.spec.models[1]
    assert model.finetune
    base, files = run.checkpoint(run.spec.base), [data / name for name in model.finetune.data]
    finetune("qa", base, files, tmp_path / "whole", model.finetune.settings, keep={0.5: tmp_path / "half"})
    hashes = [encoder_hash(load_encoder(str(path))) for path in (tmp_path / "models/qa-early", tmp_path / "half")]
    assert hashes[0] == hashes[1] == study.models().set_index("model").loc["qa-early", "encoder_hash"]


def test_published_again_nothing_has_changed(data: Path, shipped: Path, tmp_path: Path) -> None:
    run = grown(read_study(data / "toy.toml"), data, shipped, tmp_path)
    assert run.wanted == []
    again = open_study(publish_study(run, tmp_path / "shipped"))
    assert not (tmp_path / "models").exists()
    for table in TABLES:
        names = again.models()["model"].tolist()
        pd.testing.assert_frame_equal(rows(again, table, names), rows(open_study(shipped / "toy.duckdb"), table, names))


def test_what_would_come_out_otherwise_is_made_again(data: Path, shipped: Path, tmp_path: Path) -> None:
    spec = read_study(data / "toy.toml")

    def wanted(changed: StudySpec) -> set[str]:
        return {model.name for model in grown(changed, data, shipped, tmp_path).wanted}

    every = {model.name for model in spec.models}
    renamed = [model.model_copy(update={"label": "Another"}) for model in spec.models]
    assert wanted(spec.model_copy(update={"models": renamed})) == set()
    seeds = [model.model_copy(update={"seed": 8}) if model.role == "seed" else model for model in spec.models]
    assert wanted(spec.model_copy(update={"models": seeds})) == {"qa-again"}
    fewer = spec.decoders.model_copy(update={"last_layer_seeds": 0})
    assert wanted(spec.model_copy(update={"decoders": fewer})) == {"base"}
    assert wanted(spec.model_copy(update={"variants": []})) == every
    longer = spec.decoders.settings.model_copy(update={"masked": 0.2})
    assert wanted(spec.model_copy(update={"decoders": spec.decoders.model_copy(update={"settings": longer})})) == every


def test_other_facts_or_weights_keep_nothing(data: Path, shipped: Path, tmp_path: Path) -> None:
    spec = read_study(data / "toy.toml")
    every = [model.name for model in spec.models]
    run = grown(spec, data, shipped, tmp_path)
    elsewhere = keep_results(replace(run, models=None, kept=None), shipped / "toy.duckdb")
    assert [model.name for model in elsewhere.wanted] == every, "the base's weights are not there"
    other = tmp_path / "data"
    tiny.write_lama(other / "lama")
    (facts,) = (other / "lama").rglob("P19.jsonl")
    facts.write_text("\n".join(facts.read_text().splitlines()[:-1]) + "\n")
    assert [model.name for model in grown(spec, other, shipped, tmp_path).wanted] == every


def test_points_of_a_base_that_ships_without_them_are_left_out(
    data: Path, shipped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Asking other facts keeps nothing, and what does not ship of fine-tuned models can be trained again."""
    run = StudyRun(read_study(data / "toy.toml"), data, tmp_path, shipped / "models")
    every = [model.name for model in run.spec.models]
    found = without_lost_points(run)
    assert [model.name for model in found.spec.models] == [name for name in every if name != "base-early"]
    assert "base-early: left out" in capsys.readouterr().err
    assert "qa-late" in every
    database = run_study(found)
    assert set(open_study(database).models()["model"]) >= {name for name in every if name != "base-early"}
    kept = without_lost_points(grown(read_study(data / "toy.toml"), data, shipped, tmp_path / "kept"))
    assert [model.name for model in kept.spec.models] == every, "kept with their ranks"
    elsewhere = without_lost_points(StudyRun(run.spec, data, tmp_path / "new"))
    assert [model.name for model in elsewhere.spec.models] == every, "the base is trained anew"


def test_a_missing_database_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(BertnesiaError, match=r"nowhere\.duckdb"):
        keep_results(StudyRun(read_study(data / "toy.toml"), data, tmp_path), tmp_path / "nowhere.duckdb")
