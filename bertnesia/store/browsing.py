"""What the pages Relations, Facts and Models ask: single facts, cells of a heat map, training curves.

With decoder kind `base`, the base answers with its own `trained` decoders, as in `queries.Question`.
"""

from dataclasses import asdict, dataclass
from typing import Literal

import pandas as pd

from bertnesia.store.queries.questions import answer, kind_of, kinds
from bertnesia.store.study import Study

State = Literal["all", "right", "wrong", "not asked"]
"""Right or wrong at the last layer of one model; not asked: no single-token answer for the base's vocabulary."""


@dataclass(frozen=True, slots=True)
class FactFilter:
    """Which facts are looked for. `text` may stand in the subject, the object or the prompt, whatever its case."""

    text: str = ""
    probe_set: str | None = None
    relation: str | None = None
    state: State = "all"
    model: str = ""
    kind: str = "trained"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a heat map: a relation at a layer of a model."""

    probe_set: str
    relation: str
    model: str
    layer: int
    kind: str = "trained"
    filtered: bool = False


def browse_facts(study: Study, facts: FactFilter, *, page: int = 1, size: int = 25) -> pd.DataFrame:
    """One page of the facts that fit, counted from 1.

    Returns:
        fact, probe_set, relation, label, subject, object, prompt, eligible, reason, found (how many there are on all
        pages).
    """
    given = {**asdict(facts), "kind": kind_of(study, facts.model, facts.kind)}
    return answer(study, "browse_facts", given={**given, "size": size, "skipped": size * (page - 1)})


def last_ranks(study: Study, facts: tuple[int, ...], *, kind: str = "trained") -> pd.DataFrame:
    """The rank of some facts at the last layer of every model: model, fact, rank."""
    return answer(study, "last_ranks", given={"facts": list(facts), **kinds(study, kind)})


def one_fact(study: Study, fact: int) -> pd.DataFrame:
    """A fact and its relation, in one row, or none where the study does not have it."""
    return answer(study, "one_fact", given={"fact": fact})


def fact_coverage(study: Study, fact: int) -> pd.DataFrame:
    """How many passages of each training text mention a fact's subject and object together: corpus, mentions."""
    return answer(study, "fact_coverage", given={"fact": fact})


def cell_facts(study: Study, cell: Cell) -> pd.DataFrame:
    """The facts behind one cell, the best rank first.

    Returns:
        fact, subject, object, prompt, rank, base_rank (missing for the base itself), says (the first prediction).
    """
    given = {**asdict(cell), **kinds(study, cell.kind), "kind": kind_of(study, cell.model, cell.kind)}
    return answer(study, "cell_facts", given=given)


def training_curves(study: Study) -> pd.DataFrame:
    """Scores by training step: model, run (`model` or `decoder`), layer, kind, step, score, value."""
    return answer(study, "training_curves")
