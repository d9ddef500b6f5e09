"""Knowledge above what can be had without the subject: tables in, tables out."""

import numpy as np
import pandas as pd

from bertnesia.analysis.measures import Floats, paired_difference_interval, z_score
from bertnesia.analysis.significance import exact_mcnemar

_COLUMNS = ["layer", "facts", "relations", "precision", "prior", "above", "low", "high", "p"]


def above(counts: pd.DataFrame, average: str) -> pd.DataFrame:
    """Shares with and without the subject, and their paired difference, per layer.

    Args:
        counts: layer, relation, facts, right_in_base (without the subject), right_in_model (with it), forgotten,
            learned.
        average: micro or macro.

    Returns:
        layer, facts, relations, precision, prior, above, low, high (95 %: Bonett and Price's over facts; over
        relations, normal with the sum of the relations' variances by the same formula), p (McNemar's exact test over
        all facts).
    """
    rows = [_row(mine, average) | {"layer": layer} for layer, mine in counts.groupby("layer", dropna=False, sort=True)]
    return pd.DataFrame(rows, columns=_COLUMNS).astype({"layer": "Int64"})


def _row(counts: pd.DataFrame, average: str) -> dict[str, float]:
    facts, up, down = (counts[name].to_numpy(dtype=np.float64) for name in ("facts", "learned", "forgotten"))
    with_it, without = (counts[name].to_numpy(dtype=np.float64) for name in ("right_in_model", "right_in_base"))
    row = {
        "facts": int(facts.sum()),
        "relations": len(counts),
        "p": float(exact_mcnemar(down.sum(), up.sum())),
        "precision": _mean(with_it, facts, average),
        "prior": _mean(without, facts, average),
    }
    if average == "micro":
        low, high = (float(end) for end in paired_difference_interval(up.sum(), down.sum(), facts.sum()))
    else:
        low, high = _macro_interval(up, down, facts)
    difference = row["precision"] - row["prior"]
    return row | {"above": difference, "low": min(low, difference), "high": max(high, difference)}


def _macro_interval(up: Floats, down: Floats, facts: Floats) -> tuple[float, float]:
    n = facts + 2
    gain, loss = (up + 1) / n, (down + 1) / n
    error = np.sqrt(np.sum((gain + loss - (gain - loss) ** 2) / n)) / len(n)
    centre = np.mean((up - down) / facts)
    half = z_score() * error
    return float(max(-1, centre - half)), float(min(1, centre + half))


def _mean(right: Floats, facts: Floats, average: str) -> float:
    return float(right.sum() / facts.sum() if average == "micro" else np.mean(right / facts))
