"""In which layer a relation is known best, as the paper reads it and as paired facts read it: tables in, tables out."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from bertnesia.analysis.measures import Floats
from bertnesia.analysis.significance import cohens_h, exact_mcnemar, holm, unpaired_t_test

SIGNIFICANT = 0.05
FEWEST_FACTS = 50
"""Relations with fewer facts are not tested in the reading `ours`."""

KEYS = ["model", "relation", "label"]
COLUMNS = (
    "facts", "last", "best_layer", "best", "p_paper", "intermediate_paper", "doubles_paper", "chosen_layer", "chosen",
    "chosen_last", "chosen_facts", "only_chosen", "only_last", "p", "p_holm", "odds_ratio", "cohens_h", "earlier_layer",
    "p_doubles", "p_doubles_holm", "tested", "intermediate_ours", "doubles_ours",
)  # fmt: skip

Places: TypeAlias = npt.NDArray[np.intp]


def best_layers(halves: pd.DataFrame) -> pd.DataFrame:
    """Each relation's best layer in both readings.

    `paper` (Wallat et al. 2020): best in an intermediate layer when the best layer has more right than the last and the
    unpaired t-test between the two gives p ≤ 0.05; it doubles when the last layer has at least twice the best of all
    earlier ones and that best is above 0.

    `ours`: the layer is chosen on one half of the facts and compared with the last on the other half by McNemar's exact
    test, with Holm's correction over the model's relations of at least 50 facts. It doubles when there the last layer
    has at least twice what the earlier layer, chosen likewise, has, and the same test says so.

    Args:
        halves: the table of `queries.half_measures`.

    Returns:
        per model and relation: model, relation, label and `COLUMNS`. chosen, chosen_last (the last layer), only_chosen
        and only_last are of the half with chosen_facts; tested says whether `ours` has enough facts. Layers are missing
        where none has a fact right, and what needs the last layer where it was not asked.
    """
    tables = [_of_model(_read(rows)) for _, rows in halves.groupby("model", sort=False)]
    if not tables:
        return pd.DataFrame(columns=[*KEYS, *COLUMNS])
    table = holm(holm(pd.concat(tables, ignore_index=True), "p", by=["model"]), "p_doubles", by=["model"])
    beats = table["only_chosen"] > table["only_last"]
    table["intermediate_ours"] = _flags((table["p_holm"] <= SIGNIFICANT) & beats, table["tested"])
    table["doubles_ours"] = _flags((table["p_doubles_holm"] <= SIGNIFICANT) & table["is_twice"], table["tested"])
    return table[[*KEYS, *COLUMNS]]


def chosen_scores(halves: pd.DataFrame) -> pd.DataFrame:
    """The layer chosen per relation on one half of the facts, and its score on the other half.

    Returns:
        model, relation, label, chosen_layer (missing where no layer has a fact right), chosen_facts, chosen_correct.
    """
    tables = []
    for _, rows in halves.groupby("model", sort=False):
        model = _read(rows)
        chosen = _best(model.right[0])
        tables.append(
            model.keys.assign(
                chosen_layer=model.numbers(chosen, model.right[0]),
                chosen_facts=model.facts[1].astype(np.int64),
                chosen_correct=_at(model.right[1], chosen).astype(np.int64),
            )
        )
    columns = [*KEYS, "chosen_layer", "chosen_facts", "chosen_correct"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


@dataclass(frozen=True, slots=True)
class _Halves:
    """One model's counts: `facts` (2 halves, relations), `right` and `with_last` (2, relations, layers)."""

    keys: pd.DataFrame
    layers: npt.NDArray[np.int64]
    last: int | None
    facts: Floats
    right: Floats
    with_last: Floats

    def numbers(self, places: Places, right: Floats) -> Any:
        """Numbers of the layers at these places, missing where no layer has anything right."""
        return pd.array(np.where(right.max(axis=1) > 0, self.layers[places], np.nan), dtype="Int64")


def _read(rows: pd.DataFrame) -> _Halves:
    keys = rows[KEYS].drop_duplicates().reset_index(drop=True)
    layers = np.sort(rows["layer"].unique())
    relation = rows["relation"].map({name: place for place, name in enumerate(keys["relation"])})
    at = rows["half"].to_numpy(), relation.to_numpy(), np.searchsorted(layers, rows["layer"])
    facts, right, with_last = (np.zeros((2, len(keys), len(layers))) for _ in range(3))
    facts[at], right[at], with_last[at] = rows["facts"], rows["correct"], rows["with_last"]
    found = np.flatnonzero(layers == rows["layers"].iloc[0])
    return _Halves(keys, layers, int(found[0]) if len(found) else None, facts.max(axis=2), right, with_last)


def _of_model(model: _Halves) -> pd.DataFrame:
    facts = model.facts.sum(axis=0)
    table = model.keys.assign(facts=facts.astype(np.int64), tested=(facts >= FEWEST_FACTS) & (model.last is not None))
    return table.assign(**_paper(model), **_chosen(model), **_doubles(model))


def _paper(model: _Halves) -> dict[str, Any]:
    facts, right = model.facts.sum(axis=0), model.right.sum(axis=0)
    best = _best(right)
    columns = {"best_layer": model.numbers(best, right), "best": _at(right, best) / facts}
    if model.last is None:
        missing = pd.array([pd.NA] * len(facts), dtype="boolean")
        return {**columns, "last": np.nan, "p_paper": np.nan, "intermediate_paper": missing, "doubles_paper": missing}
    last = right[:, model.last]
    earlier = right[:, : model.last].max(axis=1, initial=0)
    p = unpaired_t_test(_at(right, best), last, facts, facts)
    return {
        **columns,
        "last": last / facts,
        "p_paper": p,
        "intermediate_paper": pd.array((_at(right, best) > last) & (p <= SIGNIFICANT), dtype="boolean"),
        "doubles_paper": pd.array((earlier > 0) & (last >= 2 * earlier), dtype="boolean"),
    }


def _chosen(model: _Halves) -> dict[str, Any]:
    """The layer chosen on the first half against the last layer, on the second half."""
    chosen = _best(model.right[0])
    facts = model.facts[1]
    share = _share(_at(model.right[1], chosen), facts)
    columns = {
        "chosen_layer": model.numbers(chosen, model.right[0]),
        "chosen": share,
        "chosen_facts": facts.astype(np.int64),
    }
    if model.last is None:
        return columns | dict.fromkeys(
            ("chosen_last", "only_chosen", "only_last", "p", "odds_ratio", "cohens_h"), np.nan
        )
    last = model.right[1][:, model.last]
    only_chosen, only_last = _discordant(model, chosen)
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = only_chosen / only_last
    return {
        **columns,
        "chosen_last": _share(last, facts),
        "only_chosen": only_chosen,
        "only_last": only_last,
        "p": _of_tested(model, exact_mcnemar(only_chosen, only_last)),
        "odds_ratio": odds,
        "cohens_h": cohens_h(share, _share(last, facts)),
    }


def _doubles(model: _Halves) -> dict[str, Any]:
    """The best of the earlier layers, chosen on the first half, against the last layer, on the second half."""
    none = pd.array([pd.NA] * len(model.keys), dtype="Int64")
    if not model.last:
        return {"earlier_layer": none, "p_doubles": np.nan, "is_twice": False}
    earlier = model.right[0][:, : model.last].argmax(axis=1)
    here, last = _at(model.right[1], earlier), model.right[1][:, model.last]
    return {
        "earlier_layer": model.numbers(earlier, model.right[0][:, : model.last]),
        "p_doubles": _of_tested(model, exact_mcnemar(*_discordant(model, earlier))),
        "is_twice": (here > 0) & (last >= 2 * here),
    }


def _discordant(model: _Halves, places: Places) -> tuple[Floats, Floats]:
    """On the second half: right only at these places, and right only at the last layer."""
    both = _at(model.with_last[1], places)
    return _at(model.right[1], places) - both, model.right[1][:, model.last or 0] - both


def _best(right: Floats) -> Places:
    """The layer with most right per relation: among equals the last, else the earliest."""
    is_last = right[:, -1] == right.max(axis=1)
    return np.asarray(np.where(is_last, right.shape[1] - 1, right.argmax(axis=1)), dtype=np.intp)


def _at(values: Floats, places: Places) -> Floats:
    return np.asarray(values[np.arange(len(values)), places], dtype=np.float64)


def _share(right: Floats, facts: Floats) -> Floats:
    return np.divide(right, facts, out=np.full_like(right, np.nan), where=facts > 0)


def _of_tested(model: _Halves, p: Floats) -> Floats:
    return np.where(model.facts.sum(axis=0) >= FEWEST_FACTS, p, np.nan)


def _flags(found: pd.Series, tested: pd.Series) -> pd.Series:
    return found.astype("boolean").where(tested)
