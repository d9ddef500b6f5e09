"""The study files that ship say the same where they speak of the same models."""

from itertools import product
from pathlib import Path

from bertnesia.studies.spec import read_study

ROOT = Path(__file__).resolve().parents[2]
MINI, LAMA = (read_study(ROOT / "studies" / f"{name}.toml") for name in ("mini", "lama"))


def test_each_sibling_has_decoders_of_its_own_at_four_points() -> None:
    for model in MINI.models:
        if model.finetune and model.role == "model":
            own = {*model.finetune.decoders_at, *MINI.kept(model), 1.0}
            assert len(own) == 4, model.name


def test_shares_of_the_data_come_in_equal_epochs_and_equal_steps() -> None:
    asked = [(model.variant_of, model.share, model.matched) for model in MINI.models if model.role == "data"]
    objectives = [f"{name}-squad" for name in ("qa", "mlm", "rank")]
    assert sorted(asked) == sorted(product(objectives, (0.1, 0.3), ("epochs", "steps")))


def test_lama_is_asked_of_the_models_that_ship() -> None:
    assert {model.name for model in LAMA.models} == {model.name for model in MINI.models if model.role == "model"}
    for model in LAMA.models:
        assert model.checkpoint == f"precomputed/models/{model.name}"
        assert (ROOT / model.checkpoint / "config.json").is_file()
    assert LAMA.text == MINI.text
    assert LAMA.decoders.settings == MINI.decoders.settings
    assert {*LAMA.probes, *LAMA.decoders.exclude} == {*MINI.probes, *MINI.decoders.exclude}
