"""In which layer a fine-tuning run forgets first."""

import numpy as np
import pandas as pd

from bertnesia.analysis import steps as analysis
from bertnesia.analysis.bootstrap import mean, read_clusters, resample
from bertnesia.store import queries
from bertnesia.store.queries import Average, Comparison
from bertnesia.store.study import Study


def falls_first(study: Study, comparison: Comparison, average: Average = "micro") -> pd.DataFrame:
    """The first step at which each layer has lost half of what the run makes it lose, with an interval over facts.

    Returns:
        layer, drop (of P@k, over the whole run), step, low, high (95 %, the bootstrap clustered by relation and object;
        missing where a layer does not drop), drops (share of resamples in which it does), first (share of resamples in
        which no other layer falls earlier). Empty where the run was not probed on its way.
    """
    empty = pd.DataFrame(columns=["layer", "drop", "step", "low", "high", "drops", "first"])
    models = queries.step_models(study, comparison)
    if not models:
        return empty
    question = comparison.of_models(*models)
    found = queries.clusters(study, question)
    if found.empty:
        return empty
    columns = queries.model_layers(study, question)
    clusters = read_clusters(found, len(columns))
    layers = sorted(set.intersection(*(set(mine["layer"]) for _, mine in columns.groupby("model"))))
    shape = (len(models), len(layers))
    kept = clusters.columns(np.flatnonzero(columns["layer"].isin(layers)))
    values = mean(kept, average).reshape(shape)
    drawn = resample(kept, average).reshape(-1, *shape)
    return analysis.falls_first(values, drawn, _step_numbers(study, models), layers)


def _step_numbers(study: Study, models: tuple[str, ...]) -> list[int]:
    """The step of each model of the run: 0 for the base, the run's length for the model itself."""
    rows = {row["model"]: row for row in study.models().to_dict("records")}
    return [0, *(int(rows[name]["step"]) for name in models[1:-1]), int(rows[models[1]]["steps"])]
