"""What there is in a study: models, runs, probe sets, relations, facts, quoted figures."""

from collections.abc import Collection

import pandas as pd

from bertnesia.store.queries.questions import Comparison, Question, answer, kinds, parameters
from bertnesia.store.study import Study


def models(study: Study) -> pd.DataFrame:
    """Every model of the study, the base first: the columns of the table `models`."""
    return study.models()


def runs(study: Study) -> pd.DataFrame:
    """All that was asked: model, role, variant_of, kind, seed, variant, probe_set, facts, layers (their number)."""
    return answer(study, "runs")


def asked(study: Study) -> pd.DataFrame:
    """Which models have ranks, of which decoder kind and probe set: model, kind, probe_set, facts; `trained` first.

    Models of role `model`, decoder seed 0 and plain prompts only; `runs` tells of all.
    """
    return answer(study, "asked")


def probe_sets(study: Study) -> pd.DataFrame:
    """Probe sets that have facts: probe_set, relations, facts, eligible (for the base's tokenizer)."""
    return answer(study, "probe_sets")


def left_out(study: Study) -> pd.DataFrame:
    """Facts that could not be asked, by the reason why: probe_set, reason, facts; the commonest reason first."""
    return answer(study, "left_out")


def relations(study: Study, probe_set: str | None = None) -> pd.DataFrame:
    """Relations, of one probe set or all, with their number of facts, of eligible facts and of distinct objects."""
    return answer(study, "relations", given={"probe_set": probe_set})


def decoders(study: Study) -> pd.DataFrame:
    """Every decoder with its validation loss and accuracy: the columns of the table `decoders`."""
    return answer(study, "decoders")


def corpora(study: Study) -> pd.DataFrame:
    """Texts that were searched for facts: corpus, probe_set, facts, mentioned (facts), mentions (passages)."""
    return answer(study, "corpora")


def published(study: Study, figure: str | None = None, probe_set: str | None = None) -> pd.DataFrame:
    """Figures quoted from papers, all or of one name or probe set: the columns of the table `published`."""
    return answer(study, "published", given={"figure": figure, "probe_set": probe_set})


def compared(study: Study, asked_for: Question | Comparison) -> pd.DataFrame:
    """How many facts are compared, in one row.

    Returns:
        all_facts, facts (compared), left_out, eligible_in_some (of those left out, asked of at least one model).
    """
    pairs = ("pairs_scope", "pairs_over_layers", "compared_pairs")
    names = pairs if isinstance(asked_for, Comparison) else ("shared", "compared")
    return answer(study, *names, given=parameters(study, asked_for))


def every_rank(study: Study, layers: Collection[int]) -> pd.DataFrame:
    """An export: every rank of plain prompts at these layers with its fact. Measures are counted by the other queries.

    Returns:
        model, kind, layer, probe_set, relation, subject, object, prompt, rank, filtered_rank, ties, log_probability,
        prediction (the layer's first).
    """
    return answer(study, "every_rank", given={"layers": list(layers)})


def fact_ranks(study: Study, fact: int, *, kind: str = "trained") -> pd.DataFrame:
    """One fact through every layer of every model, the base first.

    Returns:
        model, layer, rank, filtered_rank, ties, probability, tokens and probabilities (the first five predictions,
        empty where they were not kept).
    """
    return answer(study, "fact_ranks", given={"fact": fact, **kinds(study, kind)})


def examples(study: Study, *, kind: str = "trained", limit: int = 12) -> pd.DataFrame:
    """Prompts worth trying, one a relation: label, prompt, object; known to the base, least to another model."""
    return answer(study, "examples", given={"kind": kind, "limit": limit})
