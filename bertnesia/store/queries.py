"""What pages ask of a study: each function runs one statement of `sql/` and returns a small table."""

from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

import pandas as pd

from bertnesia.errors import BertnesiaError
from bertnesia.store.study import Study

Average = Literal["micro", "macro"]
"""micro: over facts; macro: the mean over relations."""

Outcome = Literal["retained", "forgotten", "learned"]

SUMMARISED = (1, 10, 100)
"""The k of P@k that `layer_counts` answers; any other is counted from the ranks."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which measures are asked for. Facts that one of the models was not asked count for none of them.

    `k` is the rank up to which a fact counts as right; `filtered` uses filtered ranks; no `relations` means all;
    `seed` is that of decoder training, `variant` that of the prompt.
    """

    probe_set: str
    models: tuple[str, ...]
    kind: str = "trained"
    k: int = 1
    filtered: bool = False
    relations: tuple[str, ...] = ()
    seed: int = 0
    variant: str = "plain"

    def __post_init__(self) -> None:
        _check_k(self.k)
        object.__setattr__(self, "models", tuple(dict.fromkeys(self.models)))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Which model is compared with which base: at one `layer`, or, without one, by "right at any layer"."""

    probe_set: str
    base: str
    model: str
    kind: str = "trained"
    k: int = 1
    layer: int | None = None
    filtered: bool = False
    seed: int = 0
    variant: str = "plain"

    def __post_init__(self) -> None:
        _check_k(self.k)


def models(study: Study) -> pd.DataFrame:
    """Every model of the study, the base first: the columns of the table `models`."""
    return study.models()


def probe_sets(study: Study) -> pd.DataFrame:
    """Probe sets that have facts: probe_set, relations, facts, eligible (for the base's tokenizer)."""
    return study.query(_sql("probe_sets"))


def relations(study: Study, probe_set: str | None = None) -> pd.DataFrame:
    """Relations, of one probe set or all, with their number of facts, of eligible facts and of distinct objects."""
    return study.query(_sql("relations"), {"probe_set": probe_set})


def decoders(study: Study) -> pd.DataFrame:
    """Every decoder with its validation loss and accuracy: the columns of the table `decoders`."""
    return study.query(_sql("decoders"))


def asked(study: Study) -> pd.DataFrame:
    """Which models have ranks, of which decoder kind and probe set: model, kind, probe_set, facts; `trained` first."""
    return study.query(_sql("asked"))


def layer_measures(study: Study, question: Question, average: Average = "macro") -> pd.DataFrame:
    """P@k and MRR of every layer of the models, over the facts that all of them were asked.

    Returns:
        model, layer, facts, relations, correct, precision, precision_error, mrr, mrr_error (standard errors).
    """
    return study.query(_sql(_counts(study, question), "layer_measures"), {**_parameters(question), "average": average})


def relation_measures(study: Study, question: Question) -> pd.DataFrame:
    """P@k and MRR of every layer per relation: model, layer, relation, label, facts, correct, precision, mrr."""
    return study.query(_sql(_counts(study, question), "relation_measures"), _parameters(question))


def prior(study: Study, question: Question, average: Average = "macro") -> pd.DataFrame:
    """What always answering with the relation's commonest objects scores on the same facts, in one row.

    Returns:
        facts, relations, precision, mrr; precision and mrr are missing where there is no fact.
    """
    return study.query(_sql("prior"), {**_parameters(question), "average": average})


def forgetting(study: Study, comparison: Comparison) -> pd.DataFrame:
    """What a model retained, forgot and learned against its base, per relation, over the facts both were asked.

    Returns:
        relation, label, facts, right_in_base, right_in_model, retained, forgotten, learned.
    """
    return study.query(_sql(_pairs(comparison), "forgetting"), _parameters(comparison))


def changed_facts(
    study: Study, comparison: Comparison, outcome: Outcome = "forgotten", relation: str | None = None
) -> pd.DataFrame:
    """The facts behind one column of `forgetting`, those whose rank changed most first.

    Returns:
        fact, relation, label, subject, object, prompt, base_rank, model_rank, model_says (its first prediction at that
        layer; over all layers, at its last).
    """
    parameters = {**_parameters(comparison), "outcome": outcome, "relation": relation}
    return study.query(_sql(_pairs(comparison), "changed_facts"), parameters)


def find_facts(
    study: Study, text: str = "", *, probe_set: str | None = None, relation: str | None = None, limit: int = 200
) -> pd.DataFrame:
    """Facts whose subject, object or prompt contains the text, whatever its case."""
    parameters = {"text": text, "probe_set": probe_set, "relation": relation, "limit": limit}
    return study.query(_sql("find_facts"), parameters)


def fact_ranks(study: Study, fact: int, *, kind: str = "trained") -> pd.DataFrame:
    """One fact's rank and first predictions at every layer of every model, the base first."""
    return study.query(_sql("fact_ranks"), {"fact": fact, "kind": kind})


def examples(study: Study, *, kind: str = "trained", limit: int = 12) -> pd.DataFrame:
    """Prompts worth trying, one a relation: label, prompt, object; known to the base, least to another model."""
    return study.query(_sql("examples"), {"kind": kind, "limit": limit})


def _parameters(asked_for: Question | Comparison) -> dict[str, Any]:
    """Named parameters of the statements, one per field."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(asked_for).items()}


def _counts(study: Study, question: Question) -> str:
    """The summary where it answers the question exactly, else the ranks."""
    if question.k not in SUMMARISED:
        return "counts_from_ranks"
    names = ("kind", "seed", "variant", "probe_set", "models")
    parameters = {name: value for name, value in _parameters(question).items() if name in names}
    found = study.query(_sql("same_facts"), parameters).iloc[0]
    alike = found["models"] == len(question.models) and found["fact_sets"] == 1
    return "counts_from_summary" if alike else "counts_from_ranks"


def _pairs(comparison: Comparison) -> str:
    return "pairs_over_layers" if comparison.layer is None else "pairs_at_layer"


def _check_k(k: int) -> None:
    if k < 1:
        raise BertnesiaError(f"k is {k}, but ranks are counted from 1.")


@cache
def _sql(*names: str) -> str:
    """The statement made of these files of `sql/`, in order."""
    folder = resources.files("bertnesia.store") / "sql"
    return "\n".join(folder.joinpath(f"{name}.sql").read_text(encoding="utf-8") for name in names)
