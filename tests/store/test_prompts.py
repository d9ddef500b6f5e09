"""What live prompts ask of a study, against pandas."""

import numpy as np
import pandas as pd
import pytest

from bertnesia.store import browsing, prompts
from bertnesia.store.study import Study
from tests.store.synthetic_study import LAYERS, Synthetic


def plain(synthetic: Synthetic, kind: str) -> pd.DataFrame:
    ranks = synthetic.ranks
    return ranks[(ranks["kind"] == kind) & (ranks["seed"] == 0) & (ranks["variant"] == "plain")]


@pytest.mark.parametrize("kind", ["trained", "stock"])
@pytest.mark.parametrize("each", [1, 3])
def test_examples_are_what_the_base_knows_best_in_each_relation(
    study: Study, synthetic: Synthetic, kind: str, each: int
) -> None:
    ranks = plain(synthetic, kind)
    last = ranks[ranks["layer"] == LAYERS].set_index("fact")
    base, model = (last[last["model"] == name] for name in ("mini", "qa-squad"))
    known = base[base["rank"] == 1].join(model["rank"].rename("model_rank"))
    known["outcome"] = np.where(known["model_rank"] > 1, "forgotten", "retained")
    facts = synthetic.facts.set_index("fact").join(known[["model_rank", "outcome", "log_probability"]], how="inner")
    expected = {
        fact
        for _, group in facts.groupby(["probe_set", "relation", "outcome"])
        for fact in group.reset_index().sort_values(["log_probability", "fact"], ascending=[False, True])["fact"][:each]
    }
    found = prompts.cloze_examples(study, "qa-squad", kind=kind, each=each)
    assert set(found["fact"]) == expected
    assert set(found["outcome"]) == {"forgotten", "retained"}
    keyed = found.set_index("fact")
    assert (keyed["model_rank"] == facts.loc[keyed.index, "model_rank"]).all()
    assert np.allclose(keyed["base_probability"], np.exp(facts.loc[keyed.index, "log_probability"]))
    assert found["label"].tolist() == sorted(found["label"]), "grouped by relation"


def test_without_another_model_everything_known_is_retained(study: Study) -> None:
    assert set(prompts.cloze_examples(study, None)["outcome"]) == {"retained"}


def test_facts_that_the_other_model_was_not_asked_are_no_examples(study: Study) -> None:
    assert prompts.cloze_examples(study, "a-model-of-another-study").empty


def test_the_model_that_forgot_most(study: Study, synthetic: Synthetic) -> None:
    best = plain(synthetic, "trained").groupby(["model", "fact"])["rank"].min().unstack("model")
    known = best[best["mini"] == 1]
    (row,) = prompts.forgot_most(study).itertuples(index=False)
    assert row.model == "qa-squad"
    assert row.right_in_base == len(known)
    assert row.forgotten == (known["qa-squad"] > 1).sum()
    assert 0 < row.forgotten < row.right_in_base
    assert prompts.forgot_most(study, kind="none").empty


def test_a_stored_fact_and_one_that_is_not_there(study: Study, synthetic: Synthetic) -> None:
    expected = synthetic.facts.iloc[7]
    (row,) = browsing.one_fact(study, int(expected["fact"])).itertuples(index=False)
    assert (row.prompt, row.object, row.relation) == (expected["prompt"], expected["object"], expected["relation"])
    assert browsing.one_fact(study, 1).empty


def test_all_facts_are_told_to_whoever_trains(study: Study, synthetic: Synthetic) -> None:
    columns = ["probe_set", "relation", "subject", "object"]
    expected = synthetic.facts.sort_values("fact")[columns].reset_index(drop=True)
    pd.testing.assert_frame_equal(prompts.study_facts(study), expected, check_dtype=False)
