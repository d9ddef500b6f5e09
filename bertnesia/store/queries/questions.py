"""What can be asked of a study, and how it becomes a statement of `store/sql/` with its parameters."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Literal

import pandas as pd

from bertnesia.errors import BertnesiaError
from bertnesia.store.study import Study

Average = Literal["micro", "macro"]
"""micro: over facts; macro: the mean over relations."""

Measure = Literal["precision", "mrr"]

Outcome = Literal["retained", "forgotten", "learned"]

SUMMARISED = (1, 10, 100)
"""The k of P@k that the summaries answer; any other is counted from the ranks."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which measures are asked for, over the facts that every one of the models could be asked.

    Attributes:
        probe_set: whose facts.
        models: whose answers.
        kind: decoder kind. With `base`, the study's base answers with its own `trained` decoders.
        k: the rank up to which a fact counts as right.
        filtered: use filtered ranks.
        relations: which relations; none means all.
        seed: of decoder training.
        variant: of the prompt.
        all_facts: count every fact of the probe set, one that could not be asked as wrong.
        middle: use the middle rank of an answer that ties with others, not the best one. Filtered, ties with other
            right answers count, too.
    """

    probe_set: str
    models: tuple[str, ...]
    kind: str = "trained"
    k: int = 1
    filtered: bool = False
    relations: tuple[str, ...] = ()
    seed: int = 0
    variant: str = "plain"
    all_facts: bool = False
    middle: bool = False

    def __post_init__(self) -> None:
        _check_k(self.k)
        object.__setattr__(self, "models", tuple(dict.fromkeys(self.models)))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Which model is compared with which base: at one `layer`, or, without one, by "right at any layer".

    Attributes:
        base_kind: decoder kind of the base; by default the model's, and `trained` where that is `base`.
        base_seed: by default the model's.
        base_variant: by default the model's.
        among: further models that must have been asked a fact for it to count.
    """

    probe_set: str
    base: str
    model: str
    kind: str = "trained"
    k: int = 1
    layer: int | None = None
    filtered: bool = False
    seed: int = 0
    variant: str = "plain"
    base_kind: str | None = None
    base_seed: int | None = None
    base_variant: str | None = None
    relations: tuple[str, ...] = ()
    middle: bool = False
    among: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_k(self.k)
        object.__setattr__(self, "among", tuple(dict.fromkeys(self.among)))

    def of_models(self, *models: str) -> Question:
        """The same facts asked of these models, each in the reading of the comparison's model."""
        return Question(
            self.probe_set,
            models,
            self.kind,
            self.k,
            self.filtered,
            self.relations,
            self.seed,
            self.variant,
            middle=self.middle,
        )


def default_average(probe_set: str) -> Average:
    """Macro where relations have templates (T-REx, Google-RE, Atlas); micro for sentences and, as its paper, BEAR."""
    return "micro" if probe_set in {"squad", "conceptnet", "bear", "bear_original"} else "macro"


def kind_of(study: Study, model: str, kind: str) -> str:
    """The decoder kind that a model answers with where `kind` is asked for: `base` is `trained` on the base itself."""
    return "trained" if kind == "base" and model == study.base else kind


def kinds(study: Study, kind: str) -> dict[str, str]:
    """Parameters of statements on all models at once: the kind that the others answer with, and that of the base."""
    return {"kind": kind, "base_kind": kind_of(study, study.base, kind)}


def parameters(study: Study, asked_for: Question | Comparison) -> dict[str, Any]:
    """Named parameters of the statements: one per field, and what follows from them."""
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(asked_for).items()}
    if isinstance(asked_for, Question):
        kinds = [kind_of(study, model, asked_for.kind) for model in asked_for.models]
        same = len(kinds) > 1 and same_facts(study, asked_for)
        return values | {"kinds": kinds, "deciding": values["models"][:1] if same else values["models"]}
    return values | {
        "base_kind": asked_for.base_kind or kind_of(study, asked_for.base, asked_for.kind),
        "base_seed": asked_for.seed if asked_for.base_seed is None else asked_for.base_seed,
        "base_variant": asked_for.base_variant or asked_for.variant,
        "among_kinds": [kind_of(study, model, asked_for.kind) for model in asked_for.among],
    }


def answer(study: Study, *names: str, given: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Run the statement made of these files of `store/sql/`, in order, with those of the parameters that it names."""
    statement, wanted = _statement(*names)
    return study.query(statement, {name: value for name, value in (given or {}).items() if name in wanted})


def counting(study: Study, question: Question, what: str) -> tuple[str, ...]:
    """The files of `store/sql/` that count `what` (counts, half_counts or outcome_counts), the fastest that are right.

    Where all models were asked the same facts, the summaries know all but the right ones for an unusual k or by middle
    ranks.
    """
    if not question.all_facts and not same_facts(study, question):
        return "placed", "sizes_from_ranks", f"right_{what}"
    if question.middle or question.k not in SUMMARISED:
        return "placed", "sizes_from_summary", f"right_{what}"
    return "summed", f"{what}_from_summary"


@lru_cache(maxsize=256)
def same_facts(study: Study, question: Question) -> bool:
    """Whether all models of the question were asked the same facts, so that one of them stands for all."""
    kinds = [kind_of(study, model, question.kind) for model in question.models]
    given = {"probe_set": question.probe_set, "models": list(question.models), "kinds": kinds}
    found = answer(study, "same_facts", given=given | {"seed": question.seed, "variant": question.variant}).iloc[0]
    return bool(found["models"] == len(question.models) and found["fact_sets"] == 1)


def _check_k(k: int) -> None:
    if k < 1:
        raise BertnesiaError(f"k is {k}, but ranks are counted from 1.")


@cache
def _statement(*names: str) -> tuple[str, frozenset[str]]:
    folder = resources.files("bertnesia.store") / "sql"
    statement = "\n".join(folder.joinpath(f"{name}.sql").read_text(encoding="utf-8") for name in names)
    return statement, frozenset(re.findall(r"\$(\w+)", statement))
