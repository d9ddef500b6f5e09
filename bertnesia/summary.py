"""A whole study in one table: how much each layer of each model knows."""

import pandas as pd

from bertnesia.store.queries import Question, asked, default_average, layer_measures
from bertnesia.store.study import Study

KEYS = ["probe_set", "average", "kind", "model", "layer"]


def summarise(study: Study) -> pd.DataFrame:
    """Measures of every layer, over the facts that all models of a decoder kind were asked; the base comes first.

    Returns:
        probe_set, average (micro or macro), kind, model, layer, facts, P@1, P@10, P@100, MRR.
    """
    groups: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in asked(study).to_dict("records"):
        key = row["probe_set"], row["kind"]
        groups[key] = (*groups.get(key, ()), row["model"])
    tables = [_measures(study, probe_set, kind, models) for (probe_set, kind), models in groups.items()]
    return pd.concat(tables, ignore_index=True)


def _measures(study: Study, probe_set: str, kind: str, models: tuple[str, ...]) -> pd.DataFrame:
    average = default_average(probe_set)
    by_k = {
        k: layer_measures(study, Question(probe_set, models, kind, k), average).set_index(["model", "layer"])
        for k in (1, 10, 100)
    }
    table = by_k[1][["facts"]].copy()
    for k, measures in by_k.items():
        table[f"P@{k}"] = measures["precision"]
    table["MRR"] = by_k[1]["mrr"]
    keyed = table.reset_index().assign(probe_set=probe_set, average=average, kind=kind)
    keyed = keyed.sort_values("model", key=lambda names: names.map(models.index), kind="stable")
    return keyed[[*KEYS, *(column for column in keyed.columns if column not in KEYS)]]
