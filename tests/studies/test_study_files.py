"""The study files that ship say the same where they speak of the same models."""

from pathlib import Path

from bertnesia.studies.spec import StudySpec, read_study

ROOT = Path(__file__).resolve().parents[2]
MINI, SIBLINGS, LAMA = (read_study(ROOT / "studies" / f"{name}.toml") for name in ("mini", "siblings", "lama"))


def without_labels(spec: StudySpec) -> dict[str, object]:
    return {model.name: model.model_copy(update={"label": "", "training_data": ""}) for model in spec.models}


def test_the_siblings_go_on_with_what_ships() -> None:
    """Else `--keep` would keep nothing."""
    assert without_labels(MINI).items() <= without_labels(SIBLINGS).items()
    same = "probes", "variants", "sample", "text"
    assert MINI.model_dump(include=set(same)) == SIBLINGS.model_dump(include=set(same))
    assert MINI.decoders.settings == SIBLINGS.decoders.settings
    assert MINI.decoders.exclude == SIBLINGS.decoders.exclude


def test_each_sibling_has_decoders_of_its_own_at_four_points() -> None:
    for model in SIBLINGS.models:
        if model.finetune and model.role == "model":
            own = {*model.finetune.decoders_at, *SIBLINGS.kept(model), 1.0}
            assert len(own) == 4, model.name


def test_lama_is_asked_of_the_models_that_ship() -> None:
    assert {model.name for model in LAMA.models} == {model.name for model in MINI.models if model.role == "model"}
    for model in LAMA.models:
        assert model.checkpoint == f"precomputed/models/{model.name}"
        assert (ROOT / model.checkpoint / "config.json").is_file()
    assert LAMA.text == MINI.text
    assert LAMA.decoders.settings == MINI.decoders.settings
    assert {*LAMA.probes, *LAMA.decoders.exclude} == {*MINI.probes, *MINI.decoders.exclude}
