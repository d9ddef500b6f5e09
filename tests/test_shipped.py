"""What ships: the models, their decoders and the database, checked against transformers and against each other."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
import torch
from transformers import pipeline

import bertnesia
from bertnesia.live import live_models
from bertnesia.models.encoder import encoder_hash
from bertnesia.models.layered import LayeredModel, load_layered
from bertnesia.probes import read_probe_sets
from bertnesia.probes.eligibility import Prompt, make_prompts
from bertnesia.probing.engine import make_shards, probe_shard
from bertnesia.store import browsing, queries
from bertnesia.store.queries import Question, pretraining_steps
from bertnesia.store.stored import stored_models, stored_ranks
from bertnesia.store.study import Study, open_study
from bertnesia.studies.run import StudyRun
from bertnesia.studies.spec import probe_spec
from bertnesia.studies.stages import run_study
from bertnesia.studies.verifying import verify
from bertnesia.summary import summarise

SHIPPED = Path(bertnesia.__file__).parent.parent / "precomputed"
SIZE_LIMIT = 50 * 2**20
SIBLINGS = ("qa-squad", "mlm-squad", "rank-squad", "ner-wnut")
CONTROLS = ("mlm-cont", "mlm-cont-seed-1", "mlm-wiki", "sham-qa", "sham-qa-seed-1")
SHARES = tuple(
    f"{model}-squad-{share}-{matched}"
    for model in ("qa", "mlm", "rank")
    for share in (10, 30)
    for matched in ("epochs", "steps")
)


@pytest.fixture(scope="module")
def study() -> Study:
    return open_study(SHIPPED / "mini.duckdb")


@pytest.fixture(scope="module")
def mini() -> LayeredModel:
    return load_layered(str(SHIPPED / "models/mini"))


def prompts_of(name: str, model: LayeredModel, data: Path | None, most: int) -> list[Prompt]:
    """Prompts of a probe set, spread evenly over its relations and lengths."""
    (probe_set,) = read_probe_sets([name], data)
    prompts, _ = make_prompts(probe_set, model.tokenizer, model.max_tokens)
    return prompts[:: max(1, len(prompts) // most)][:most]


def assert_like_fill_mask(model: LayeredModel, prompts: list[Prompt]) -> None:
    """The last layer with the stock decoder: the same top 5 with the same probabilities as the pipeline's."""
    torch.manual_seed(0)
    fill = pipeline("fill-mask", model=str(SHIPPED / "models/mini"), top_k=5, dtype=torch.float32)
    found = {}
    for shard in make_shards(prompts):
        _, predictions = probe_shard(model, "mini", ["stock"], shard)
        found.update({row["fact"]: row for row in predictions.to_pylist() if row["layer"] == model.layers})
    assert len(found) == len(prompts)
    for prompt in prompts:
        expected = fill(prompt.text)
        row = found[prompt.fact]
        assert row["probabilities"] == pytest.approx([answer["score"] for answer in expected], abs=1e-5)
        pieces = model.tokenizer.convert_ids_to_tokens([answer["token"] for answer in expected])
        assert row["tokens"] == pieces or is_tie(row["probabilities"])


def is_tie(probabilities: list[float]) -> bool:
    """Two neighbours closer than arithmetic can tell apart may stand in either order."""
    return any(a - b < 1e-7 for a, b in pairwise(probabilities))


def test_the_base_answers_atlas_as_the_fill_mask_pipeline_does(mini: LayeredModel) -> None:
    assert_like_fill_mask(mini, prompts_of("atlas", mini, None, 100))


def test_the_base_answers_lama_as_the_fill_mask_pipeline_does(mini: LayeredModel, shared_data: Path) -> None:
    prompts = prompts_of("trex", mini, shared_data, 300)
    assert len(prompts) == 300
    assert_like_fill_mask(mini, prompts)


def test_stored_ranks_are_those_that_the_shipped_weights_give(study: Study) -> None:
    """Every kind, layer and model, on facts drawn at random: exact up to rank 100, by at most 1 beyond.

    Another processor may have one in a thousand next to it, where two words all but tie.
    """
    chosen = study.query("SELECT id FROM facts WHERE eligible ORDER BY hash(id) LIMIT 40")["id"].tolist()
    for row in stored_models(study).itertuples():
        base = str(SHIPPED / "models/mini") if row.base else None
        model = load_layered(str(SHIPPED / row.folder), base)
        (probe_set,) = read_probe_sets(["atlas"], None)
        prompts, _ = make_prompts(probe_set, model.tokenizer, model.max_tokens)
        shard = make_shards([prompt for prompt in prompts if prompt.fact in chosen])[0]
        fresh, _ = probe_shard(model, row.model, list(model.decoders), shard)
        stored = stored_ranks(study, row.model, list(model.decoders), chosen).query("variant == 'plain'")
        keys = ["kind", "layer", "fact"]
        both = fresh.to_pandas().merge(stored, on=keys, suffixes=("", "_stored"))
        assert len(both) == 40 * model.layers * len(model.decoders)
        away = (both["rank"].astype(int) - both["rank_stored"]).abs()
        assert away.max() <= 1
        assert (both["log_probability"] - both["log_probability_stored"]).abs().max() <= 1e-3
        assert ((away > 0) & (both["rank_stored"] <= 100)).sum() <= 1


def test_live_predictions_are_the_stored_ones(study: Study) -> None:
    live = live_models(study)
    facts = study.query("SELECT fact, prompt, object FROM facts WHERE eligible ORDER BY hash(id) LIMIT 20")
    all_but_ties = 0
    for fact in facts.itertuples():
        stored = study.query(
            "SELECT model, layer, rank, log_probability FROM ranks "
            "WHERE kind = 'trained' AND seed = 0 AND variant = 'plain' AND fact = $fact",
            {"fact": fact.fact},
        ).set_index(["model", "layer"])
        for result in live.predict(fact.prompt, live.names, "trained", watched=[fact.object]):
            for layer in result.layers:
                old = stored.loc[(result.model, layer.layer)]
                away = abs(layer.watched[0].rank - old["rank"])
                assert away <= 1
                all_but_ties += away > 0 and old["rank"] <= 100
    assert all_but_ties <= 1, "of 600, on another processor"


def test_models_are_what_the_database_says(study: Study) -> None:
    for row in stored_models(study).itertuples():
        base = str(SHIPPED / "models/mini") if row.base else None
        model = load_layered(str(SHIPPED / row.folder), base)
        assert encoder_hash(model.encoder) == row.encoder_hash
        assert len(model.tokenizer) == row.vocabulary_size


def test_the_study_holds_its_controls(study: Study) -> None:
    """Priors, a second decoder seed, a last-layer decoder for every layer, and points of every fine-tuning."""
    asked = study.query(
        "SELECT model, kind, seed, variant, count(DISTINCT layer) AS layers, count(DISTINCT fact) AS facts "
        "FROM ranks GROUP BY ALL"
    )
    kinds = {(row.model, row.kind) for row in asked.itertuples()}
    assert kinds == {
        *(("mini", kind) for kind in ("trained", "stock", "full", "random", "control")),
        *((model, kind) for model in SIBLINGS for kind in ("trained", "stock", "base")),
        *((model, kind) for model in CONTROLS for kind in ("trained", "base")),
        *((f"{model}-seed-1", "trained") for model in SIBLINGS),
        *((model, "trained") for model in SHARES),
        *((f"mini-at-{share}", kind) for share in (5, 10, 25, 50) for kind in ("trained", "own")),
        *((f"{model}@{step}", "base") for model in SIBLINGS for step in (6, 12, 30, 60, 150, 300, 450)),
        *((f"{model}{point}", "trained") for model in SIBLINGS for point in ("-at-5", "@150", "-at-50")),
    }
    variants = asked[asked["seed"] == 0].groupby(["model", "kind"])["variant"].agg(set)
    assert {"plain", "subject_masked", "subject_swapped", "paraphrase_1"} <= variants["mini", "trained"]
    for model, kind in kinds:
        if kind == "trained" and model in SIBLINGS:
            assert variants[model, kind] == variants["mini", "trained"]
        elif (model, kind) != ("mini", "trained"):
            assert variants[model, kind] == {"plain"}, (model, kind)
    facts = {(row.model, row.variant): row.facts for row in asked.itertuples() if row.kind in {"trained", "base"}}
    sample = {facts[f"{model}{point}", "plain"] for model in SIBLINGS for point in ("@6", "-at-5", "-at-50")}
    sample |= {facts["mini", "paraphrase_1"], *(facts[model, "plain"] for model in SHARES)}
    assert len(sample) == 1
    assert 0.3 < sample.pop() / facts["mini", "plain"] < 0.4
    seeds = {(row.model, row.seed): row.layers for row in asked[asked["seed"] > 0].itertuples()}
    assert seeds == {("mini", 1): 6, ("mini", 2): 6, **{("mini", seed): 1 for seed in (3, 4, 5)}}
    last = study.query("SELECT hash FROM decoders WHERE model = 'mini' AND kind = 'trained' AND layer = 6")
    assert last["hash"].nunique() == 6, "as many as the base has layers"


def test_masked_and_swapped_subjects_cost_the_base_its_answers(study: Study) -> None:
    """The base knows more of a fact with its subject than without, in the probe set that ships."""
    right = study.query(
        "SELECT variant, count(*) FILTER (rank = 1) AS n FROM ranks WHERE model = 'mini' AND kind = 'trained' "
        "AND seed = 0 AND layer = 6 AND fact IN (SELECT fact FROM ranks WHERE variant = 'subject_swapped') GROUP BY ALL"
    ).set_index("variant")["n"]
    assert right["plain"] > right["subject_masked"]
    assert right["plain"] > right["subject_swapped"]


def test_with_the_bases_decoders_the_base_answers_with_its_own(study: Study) -> None:
    own, lent = (browsing.Cell("atlas", "city-in", "mini", 6, kind) for kind in ("trained", "base"))
    pd.testing.assert_frame_equal(browsing.cell_facts(study, lent), browsing.cell_facts(study, own))
    facts = browsing.cell_facts(study, replace(lent, model="qa-squad")).set_index("fact")
    mine = browsing.cell_facts(study, own).set_index("fact")["rank"]
    assert facts["base_rank"].sort_index().tolist() == mine.sort_index().tolist()
    fact = int(mine.index[0])
    found, expected = (
        queries.fact_ranks(study, fact, kind=kind).query("model == 'mini'") for kind in ("base", "trained")
    )
    pd.testing.assert_frame_equal(found, expected)
    last = browsing.last_ranks(study, (fact,), kind="base").set_index("model")["rank"]
    assert last["mini"] == mine[fact]
    assert last["qa-squad"] == facts.loc[fact, "rank"]
    right = browsing.FactFilter(relation="city-in", probe_set="atlas", state="right", model="mini", kind="base")
    assert browsing.browse_facts(study, right)["found"].iloc[0] == (mine == 1).sum()


def test_the_base_learns_on_its_way(study: Study) -> None:
    """Its last layer knows most at the end, and after the start more from each point of the training to the next."""
    steps = pretraining_steps(study, Question("atlas", ("mini",)), "micro")
    last = steps[steps["layer"] == 6]
    assert [round(share, 2) for share in last["progress"]] == [0.05, 0.1, 0.25, 0.5, 1]
    assert last["step"].tolist() == [200, 400, 1000, 2000, 4400], "a second stage of 400 steps comes after 4,000"
    assert list(last["precision"])[1:] == sorted(list(last["precision"])[1:])
    assert last["precision"].max() == last["precision"].iloc[-1]


def test_what_ships_is_verified() -> None:
    assert [sentence for check in verify(SHIPPED, facts=25, seed=0) for sentence in check.mismatches] == []


def shipped_files() -> Iterator[Path]:
    return (path for path in SHIPPED.rglob("*") if path.is_file())


def test_only_atlas_ships_and_no_file_is_too_large(study: Study) -> None:
    assert study.query("SELECT DISTINCT probe_set FROM facts")["probe_set"].tolist() == ["atlas"]
    assert all(path.stat().st_size < SIZE_LIMIT for path in shipped_files())
    assert not [path for path in shipped_files() if path.suffix in {".bin", ".pt", ".pkl", ".pth"}]


def test_a_lama_database_is_built_from_the_shipped_models(shared_data: Path, tmp_path: Path) -> None:
    spec = probe_spec(["mini", "qa-squad"], ["squad"], ["trained", "stock"])
    database = run_study(StudyRun(spec, shared_data, tmp_path, SHIPPED / "models"))
    lama = open_study(database)
    assert lama.query("SELECT count(*) AS n FROM facts")["n"].item() == 305
    eligible = lama.query("SELECT count(*) AS n FROM facts WHERE eligible")["n"].item()
    measures = summarise(lama)
    assert set(measures["facts"]) == {eligible}
    assert len(measures) == 2 * 2 * 6
    last = measures[(measures["kind"] == "trained") & (measures["layer"] == 6) & (measures["model"] == "mini")]
    by_hand = lama.query(
        "SELECT count(*) FILTER (rank = 1) / count(*) AS p FROM ranks "
        "WHERE model = 'mini' AND kind = 'trained' AND layer = 6"
    )
    assert last["P@1"].item() == pytest.approx(by_hand["p"].item())
    assert 0 < last["P@10"].item() < 1
