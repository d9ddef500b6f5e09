"""A study that holds its controls: prompt variants, decoder kinds and seeds, variants of models, steps of a run."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch
from pydantic import ValidationError

from bertnesia.errors import BertnesiaError
from bertnesia.models.decoder_training import decoder_scores
from bertnesia.models.decoders import load_decoders
from bertnesia.models.encoder import encoder_hash, load_encoder, random_encoder, vocabulary_hash
from bertnesia.models.layered import load_layered
from bertnesia.probes.lama import read_lama
from bertnesia.store.queries import Comparison, Question, pretraining_steps, steps
from bertnesia.store.study import Study, open_study
from bertnesia.studies.models import load_model
from bertnesia.studies.publishing import copy_models
from bertnesia.studies.run import StudyRun
from bertnesia.studies.spec import StudySpec, read_study
from bertnesia.studies.stages import publish_study, run_study
from tests import tiny
from tests.studies.test_stages import STUDY

CONTROLS = """
[[models]]
name = "qa-again"
role = "seed"
variant_of = "qa"
seed = 7
kinds = ["stock", "base"]

[[models]]
name = "qa-half"
role = "data"
variant_of = "qa"
share = 0.5
matched = "steps"
kinds = ["stock"]

[[models]]
name = "sham"
role = "control"
variant_of = "qa"
kinds = ["stock"]
[models.finetune]
objective = "sham-qa"
data = ["squad/toy.json"]
[models.finetune.settings]
max_tokens = 32
stride = 8
held_out = 0.25
epochs = 1
schedule = { batch_tokens = 256, learning_rate = 1e-3, evaluations = 1 }

[[models]]
name = "base-early"
role = "step"
variant_of = "base"
at = 0.25
kinds = ["trained", "own"]

[[models]]
name = "qa-late"
role = "step"
variant_of = "qa"
at = 0.75
kinds = ["trained"]

[decoders]
kinds = ["trained", "stock", "base"]
base_kinds = ["random", "control"]
seeds = 2
last_layer_seeds = 4
priors = ["trained", "stock"]
predictions = ["trained", "base"]
"""
VARIANTS = 'variants = ["subject_masked", "subject_swapped", "paraphrases"]\nsample = 0.5'


def write_world(root: Path) -> Path:
    """The study, `toy.toml`, and all data that it needs."""
    tiny.write_text(root / "text/toy.txt")
    tiny.write_squad(root / "squad/toy.json")
    tiny.write_lama(root / "lama")
    study = STUDY.replace('probes = ["trex"]', f'probes = ["trex"]\n{VARIANTS}')
    study = study.replace("[models.finetune]\n", "[models.finetune]\nprobe_at = [0.5]\n")
    (root / "toy.toml").write_text(study.replace("[decoders]\n", CONTROLS))
    return root


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> StudyRun:
    study_run = StudyRun(read_study(data / "toy.toml"), data, tmp_path_factory.mktemp("runs") / "toy")
    run_study(study_run)
    return study_run


@pytest.fixture(scope="module")
def study(run: StudyRun) -> Study:
    return open_study(run.database)


@pytest.fixture(scope="module")
def asked(study: Study) -> pd.DataFrame:
    return study.query(
        "SELECT model, kind, seed, variant, min(layer) AS first, max(layer) AS last, count(DISTINCT fact) AS facts "
        "FROM ranks GROUP BY ALL ORDER BY ALL"
    )


def test_every_control_has_its_ranks_and_no_more(asked: pd.DataFrame) -> None:
    found = {(r.model, r.kind, r.seed, r.variant): (r.first, r.last) for r in asked.itertuples()}
    whole = [("base", kind, 0, "plain") for kind in ("trained", "stock", "random", "control")]
    whole += [("qa", kind, 0, "plain") for kind in ("trained", "stock", "base")]
    whole += [("base", "stock", 0, "subject_masked"), ("qa", "stock", 0, "subject_masked")]
    whole += [("base", "trained", 0, "subject_masked"), ("qa", "trained", 0, "subject_masked")]
    whole += [(model, "trained", 0, "subject_swapped") for model in ("base", "qa")]
    whole += [("base", "trained", 1, "plain"), ("qa", "trained", 1, "plain")]
    whole += [("qa-again", kind, 0, "plain") for kind in ("stock", "base")]
    whole += [("qa-half", "stock", 0, "plain"), ("sham", "stock", 0, "plain")]
    whole += [("base-early", kind, 0, "plain") for kind in ("trained", "own")]
    whole += [("qa-late", "trained", 0, "plain")]
    (step,) = {model for model, *_ in found if model.startswith("qa@")}
    expected = dict.fromkeys([*whole, (step, "base", 0, "plain")], (1, 2))
    expected |= {("base", "trained", seed, "plain"): (2, 2) for seed in (2, 3)}
    assert found == expected


def test_side_questions_are_asked_of_the_same_sample_of_the_facts(study: Study) -> None:
    asked = study.query("SELECT DISTINCT model, variant, id FROM ranks JOIN facts USING (fact)")
    eligible = set(study.query("SELECT id FROM facts WHERE eligible")["id"])
    sample = {fact for fact in eligible if fact // 2 % 10_000 < 5_000}
    assert 0 < len(sample) < len(eligible)
    (step,) = {model for model in asked["model"] if model.startswith("qa@")}
    for (model, variant), rows in asked.groupby(["model", "variant"]):
        facts = set(rows["id"])
        if variant == "subject_swapped":
            assert facts <= sample, "some subjects have none to stand in for them"
            assert facts
        else:
            assert facts == (sample if model in {step, "qa-half", "qa-late"} else eligible)


def test_predictions_are_those_of_the_kinds_that_are_named(study: Study) -> None:
    shown = study.query("SELECT DISTINCT model, kind FROM predictions ORDER BY ALL")
    expected = [("base", "trained"), ("qa", "base"), ("qa", "trained")]
    assert list(shown.itertuples(index=False, name=None)) == expected


def test_a_masked_subject_is_hidden_from_the_stored_rank(study: Study, run: StudyRun) -> None:
    """Against the model itself, one prompt at a time."""
    rows = study.query(
        "SELECT fact, subject, object, prompt, rank FROM ranks JOIN facts USING (fact) "
        "WHERE model = 'base' AND kind = 'stock' AND variant = 'subject_masked' AND layer = 2"
    )
    model = load_layered(str(run.work / "models/base"), kinds=["stock"])
    words = model.tokenizer
    for row in rows.itertuples():
        pieces = len(words.tokenize(row.subject))
        hidden = row.prompt.replace(row.subject, " ".join(["[MASK]"] * pieces), 1)
        ids = words(hidden, return_tensors="pt")["input_ids"]
        object_at = max(i for i, token in enumerate(ids[0].tolist()) if token == words.mask_token_id)
        with torch.no_grad():
            states = model.states(ids, torch.ones_like(ids))[1][0, object_at]
        scores = model.of_kind("stock").logits(states[None], 2)[0]
        assert row.rank == 1 + int((scores > scores[words.convert_tokens_to_ids(row.object)]).sum())


def test_a_siblings_base_kind_is_the_bases_decoder_on_its_own_states(study: Study, run: StudyRun) -> None:
    hashes = study.query("SELECT model, kind, layer, hash FROM decoders WHERE seed = 0").set_index(
        ["model", "kind", "layer"]
    )["hash"]
    for layer in (1, 2):
        assert hashes["qa", "base", layer] == hashes["base", "trained", layer]
        assert hashes["qa", "base", layer] != hashes["qa", "trained", layer]
    ranks = study.query("SELECT kind, fact, layer, log_probability FROM ranks WHERE model = 'qa' AND variant = 'plain'")
    table = ranks.pivot_table(index=["fact", "layer"], columns="kind", values="log_probability")
    assert (table["base"] != table["trained"]).any()


def test_control_decoders_belong_to_a_random_encoder(run: StudyRun) -> None:
    base = run.work / "models/base"
    plain = load_layered(str(base), kinds=["stock"])
    words = vocabulary_hash(plain.tokenizer)
    random = random_encoder(plain.encoder.config, 0)
    assert load_decoders(base / "decoders/control", plain.stock, encoder_hash(random), words).kind == "control"
    with pytest.raises(BertnesiaError, match="trained for another encoder"):
        load_decoders(base / "decoders/control", plain.stock, encoder_hash(load_encoder(str(base))), words)


def test_models_say_what_they_vary(study: Study) -> None:
    models = study.models().astype(object).where(lambda table: table.notna(), None).set_index("model")
    assert models["role"].to_dict() | {"base": "model", "qa": "model"} == models["role"].to_dict()
    seed, share, sham = (models.loc[name] for name in ("qa-again", "qa-half", "sham"))
    assert (seed["role"], seed["variant_of"], seed["seed"], seed["base"]) == ("seed", "qa", 7, "base")
    assert (share["role"], share["share"], share["matched"]) == ("data", 0.5, "steps")
    assert (sham["role"], sham["objective"]) == ("control", "sham-qa")
    assert share["steps"] == models.loc["qa", "steps"], "as many steps as on all the data"
    assert models.loc["qa-again", "encoder_hash"] != models.loc["qa", "encoder_hash"]
    (step,) = (row for name, row in models.iterrows() if str(name).startswith("qa@"))
    early, late = models.loc["base-early"], models.loc["qa-late"]
    assert (late["role"], late["variant_of"], late["step"]) == ("step", "qa", round(0.75 * late["steps"]))
    assert (late["steps"], late["objective"]) == (models.loc["qa", "steps"], "qa")
    assert (early["role"], early["variant_of"], early["step"], early["steps"]) == ("step", "base", 10, 40)
    assert step["variant_of"] == "qa"
    assert step["step"] == round(0.5 * step["steps"])
    assert step["encoder_hash"] not in {models.loc[name, "encoder_hash"] for name in ("base", "qa")}
    assert {models.loc[name, "folder"] for name in ("qa-again", "qa-half", "sham")} == {""}
    assert models["position"].is_monotonic_increasing


def test_the_base_on_its_way_knows_what_its_own_weights_know(study: Study, run: StudyRun) -> None:
    found = pretraining_steps(study, Question("trex", ("base",), k=100), "micro")
    assert found[["model", "step", "layer"]].to_numpy().tolist() == [
        ["base-early", 10, 1], ["base-early", 10, 2], ["base", 40, 1], ["base", 40, 2],
    ]  # fmt: skip
    assert set(found["progress"]) == {0.25, 1.0}
    ranks = study.query("SELECT rank FROM ranks WHERE model = 'base-early' AND kind = 'trained' AND layer = 1")["rank"]
    assert found.loc[0, "correct"] == (ranks <= 100).sum()
    early = encoder_hash(load_encoder(str(run.work / "models/base-early")))
    assert study.models().set_index("model").loc["base-early", "encoder_hash"] == early


def test_a_sibling_on_its_way_is_probed_with_the_bases_decoders_and_its_own(study: Study) -> None:
    found = [steps(study, Comparison("trex", "base", "qa", kind)) for kind in ("base", "trained")]
    assert [table.drop_duplicates("model")["model"].tolist() for table in found] == [
        ["base", f"qa@{found[0]['step'].unique()[1]}", "qa"], ["base", "qa-late", "qa"],
    ]  # fmt: skip
    length = found[1]["steps"].max()
    assert found[1]["step"].unique().tolist() == [0, round(0.75 * length), length]


def test_a_base_that_was_not_kept_on_its_way_is_told(run: StudyRun) -> None:
    values = run.spec.model_dump(exclude_none=True)
    values["models"].append({"name": "base-late", "role": "step", "variant_of": "base", "at": 0.75})
    with pytest.raises(BertnesiaError, match="base is trained already, but was not kept at 75% of its training"):
        run_study(StudyRun(StudySpec.model_validate(values), run.data, run.work))


def test_decoders_tell_seed_and_layers(study: Study) -> None:
    decoders = study.query("SELECT kind, seed, layer, corpus, steps FROM decoders WHERE model = 'base' ORDER BY ALL")
    trained = decoders[decoders["kind"] == "trained"]
    assert list(trained[["seed", "layer"]].itertuples(index=False, name=None)) == [
        (0, 1), (0, 2), (1, 1), (1, 2), (2, 2), (3, 2),
    ]  # fmt: skip
    assert set(decoders.loc[decoders["kind"] != "stock", "corpus"]) == {"toy.txt"}


def test_the_bases_decoders_are_scored_on_its_siblings(study: Study, run: StudyRun) -> None:
    """On the text that trained decoders were validated on: the base's own have there what was noted in training."""
    lent = study.query("SELECT model, layer, loss, accuracy FROM decoders WHERE kind = 'base' ORDER BY model, layer")
    assert set(lent["model"]) >= {"qa", "qa-again"}
    base, qa = run.spec.base, next(model for model in run.spec.models if model.name == "qa")
    for model, kind in ((qa, "base"), (base, "trained")):
        loaded = load_model(run, model, [kind])
        found = decoder_scores(
            loaded.encoder, loaded.tokenizer, loaded.of_kind(kind), run.corpus, run.spec.decoders.settings
        )
        told = study.query(
            "SELECT layer, loss, accuracy FROM decoders WHERE model = $model AND kind = $kind AND seed = 0",
            {"model": model.name, "kind": kind},
        )
        for row in told.itertuples():
            assert found[row.layer] == pytest.approx((row.loss, row.accuracy), abs=2e-3), (model.name, row.layer)
    own = study.query("SELECT layer, loss FROM decoders WHERE model = 'base' AND kind = 'trained' AND seed = 0")
    worse = lent[lent["model"] == "qa"].merge(own, on="layer")
    assert (worse["loss_x"] > worse["loss_y"]).any(), "fine-tuning moved what they read"


def test_probe_sets_and_coverage_are_told(study: Study, data: Path) -> None:
    (row,) = study.query("SELECT * FROM probe_sets").to_dict("records")
    assert row["probe_set"] == "trex"
    assert row["licence"] == "CC BY-NC 4.0"
    assert json.loads(row["files"]) == read_lama(data, ["trex"])["trex"].hashes
    counts = study.query("SELECT corpus, subject, object, mentions FROM coverage JOIN facts USING (fact)")
    assert set(counts["corpus"]) == {"text/toy.txt", "squad/toy.json"}
    texts = {
        "text/toy.txt": list(dict.fromkeys((data / "text/toy.txt").read_text().splitlines())),
        "squad/toy.json": [f"{person} was born in {tiny.town_of(person)} ." for person in tiny.PEOPLE],
    }
    for count in counts.itertuples():
        naming = [text for text in texts[count.corpus] if {count.subject, count.object} <= set(text.split())]
        assert count.mentions == len(naming)
    assert counts["mentions"].max() > 1


def test_a_second_run_makes_nothing_again(run: StudyRun) -> None:
    before = {path: path.stat().st_mtime_ns for path in run.work.rglob("*") if path.is_file() and path != run.database}
    run_study(run)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_only_models_and_their_shown_decoders_ship(run: StudyRun, tmp_path: Path) -> None:
    database = publish_study(run, tmp_path)
    shipped = {path.relative_to(tmp_path / "models").as_posix() for path in (tmp_path / "models").glob("*/decoders/*")}
    assert shipped == {"base/decoders/trained", "qa/decoders/trained"}
    assert {path.name for path in (tmp_path / "models").iterdir()} == {"base", "qa"}
    study = open_study(database)
    assert study.query("SELECT DISTINCT folder FROM models WHERE role = 'model' ORDER BY ALL")["folder"].tolist() == [
        "models/base",
        "models/qa",
    ]
    columns = "SELECT * FROM ranks"
    pd.testing.assert_frame_equal(study.query(columns), open_study(run.database).query(columns))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "models").rglob("*")}
    copy_models(StudyRun(run.spec, run.data, run.work, tmp_path / "models"), tmp_path / "models")
    assert {path: path.stat().st_mtime_ns for path in before} == before, "a folder is not copied onto itself"


def test_controls_are_made_beside_finished_models(run: StudyRun, data: Path, tmp_path: Path) -> None:
    """Shipped models are taken as they are; what they lack is trained in the work folder."""
    publish_study(run, tmp_path / "shipped")
    models = [model for model in run.spec.models if model.role == "model"]
    decoders = run.spec.decoders.model_copy(update={"base_kinds": ["random"], "last_layer_seeds": 0, "seeds": 1})
    spec = run.spec.model_copy(update={"models": models, "decoders": decoders, "variants": []})
    again = StudyRun(spec, data, tmp_path / "work", tmp_path / "shipped/models")
    study = open_study(run_study(again))
    assert [path.parent.name for path in (tmp_path / "work/models").rglob("config.json")] == ["random"]
    query = "SELECT * FROM ranks WHERE kind = 'random' AND variant = 'plain'"
    pd.testing.assert_frame_equal(study.query(query), open_study(run.database).query(query))


@pytest.fixture
def refused(data: Path, tmp_path: Path) -> Callable[[str, str], str]:
    def read(old: str, new: str) -> str:
        text = (data / "toy.toml").read_text()
        assert old in text
        (tmp_path / "bad.toml").write_text(text.replace(old, new, 1))
        with pytest.raises(BertnesiaError) as caught:
            read_study(tmp_path / "bad.toml")
        return str(caught.value)

    return read


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            'variant_of = "qa"\nseed = 7',
            "seed = 7",
            "'qa-again' needs exactly one of pretrain, finetune and check",
        ),
        ("seed = 7\n", "", "'qa-again' of role 'seed' needs seed"),
        ("seed = 7\n", "seed = 7\nshare = 0.5\n", "'qa-again' of role 'seed' does without share"),
        (
            'variant_of = "qa"\nseed',
            'variant_of = "xy"\nseed',
            "'qa-again' varies 'xy', which is no model of the",
        ),
        ('variant_of = "qa"\nseed', 'variant_of = "base"\nseed', "varies 'base', which is not fine-tuned"),
        ('matched = "steps"\n', "", "'qa-half' of role 'data' needs matched"),
        ('base_kinds = ["random"', 'base_kinds = ["trained"', "'trained' stands in kinds and in base_kinds"),
        ('kinds = ["trained", "stock", "base"]', 'kinds = ["stock", "base"]', "base needs trained among the kinds"),
        ("last_layer_seeds = 4", "last_layer_seeds = 1", "is not less than the base's seeds"),
        (
            'role = "step"\nvariant_of = "base"',
            'role = "step"\nvariant_of = "xy"',
            "'base-early' varies 'xy', which is no model of the study",
        ),
        ("at = 0.25\n", "", "'base-early' of role 'step' needs at"),
        ("probe_at = [0.5]", "probe_at = [1.5]", "probe_at holds shares of the run"),
        ("probe_at = [0.5]", "decoders_at = [0.5]", "decoders_at names 0.5, which is not in probe_at"),
        ('variants = ["subject_masked"', 'variants = ["backwards"', "variants.0"),
    ],
)
def test_faults_of_controls_are_named(refused: Callable[[str, str], str], old: str, new: str, fault: str) -> None:
    assert fault in refused(old, new)


def test_a_step_of_what_is_not_trained_here_is_refused(run: StudyRun) -> None:
    values = run.spec.model_dump(exclude_none=True)
    values["models"] += [
        {"name": "other", "checkpoint": "somewhere/other"},
        {"name": "other-early", "role": "step", "variant_of": "other", "at": 0.5},
    ]
    with pytest.raises(ValidationError, match="'other-early' is a step of 'other', which is not trained here"):
        StudySpec.model_validate(values)


def test_a_finished_run_cannot_be_probed_on_its_way(run: StudyRun) -> None:
    base, qa, *others = run.spec.models
    assert qa.finetune
    later = qa.model_copy(update={"finetune": qa.finetune.model_copy(update={"probe_at": [0.5, 0.9]})})
    spec: StudySpec = run.spec.model_copy(update={"models": [base, later, *others]})
    with pytest.raises(BertnesiaError, match="qa is trained already, but was not probed at the points of probe_at"):
        run_study(StudyRun(spec, run.data, run.work))
