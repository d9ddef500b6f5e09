"""What a fine-tuned model kept, forgot and learned, as rates with intervals: tables in, tables out."""

from typing import Literal

import numpy as np
import pandas as pd

from bertnesia.analysis.measures import paired_difference_interval, wilson_interval, z_score

COUNTS = ("facts", "right_in_base", "right_in_model", "retained", "forgotten", "learned")


def total(relations: pd.DataFrame, label: str = "All relations") -> pd.DataFrame:
    """One row that adds up the counts of `queries.forgetting` over its relations."""
    row = {"relation": "", "label": label} | {name: int(relations[name].sum()) for name in COUNTS}
    return pd.DataFrame([row])


def rates(counts: pd.DataFrame) -> pd.DataFrame:
    """Add the forgetting rate and the net change, each with its 95 % interval, to a table of counts.

    The forgetting rate is forgotten / right in base, missing where the base had nothing right; the net change is the
    fine-tuned model's share of right facts minus the base's. They answer different questions: the first ignores
    what was learned, the second lets it make up for what was forgotten.

    Returns:
        the counts and forgetting_rate, forgetting_low, forgetting_high, net_change, net_low, net_high.
    """
    known = counts["right_in_base"].to_numpy(dtype=np.float64)
    low, high = wilson_interval(counts["forgotten"], known)
    net_low, net_high = paired_difference_interval(counts["learned"], counts["forgotten"], counts["facts"])
    none = known == 0
    return counts.assign(
        forgetting_rate=np.where(none, np.nan, counts["forgotten"] / np.where(none, 1, known)),
        forgetting_low=np.where(none, np.nan, low),
        forgetting_high=np.where(none, np.nan, high),
        net_change=(counts["learned"] - counts["forgotten"]) / counts["facts"],
        net_low=net_low,
        net_high=net_high,
    )


def forgetting_rate(counts: pd.DataFrame, average: str) -> tuple[float, float, float]:
    """The forgetting rate over several relations with its 95 % interval; missing where the base had nothing right.

    Over facts, forgotten / right in base with Wilson's interval; over relations, the quotient of the two means of
    shares, with its linearised standard error for facts drawn within fixed relations (Cochran 1977, section 6.4).
    """
    facts, known, lost = (counts[name].to_numpy(dtype=np.float64) for name in ("facts", "right_in_base", "forgotten"))
    if not known.sum() > 0:
        return (float("nan"),) * 3
    if average == "micro":
        low, high = wilson_interval(lost.sum(), known.sum())
        return float(lost.sum() / known.sum()), float(low), float(high)
    share = np.sum(known / facts)
    rate = np.sum(lost / facts) / share
    squares = lost * (1 - rate) ** 2 + (known - lost) * rate**2
    spread = (squares - (lost - rate * known) ** 2 / facts) / np.maximum(facts - 1, 1) / facts
    half = z_score() * np.sqrt(np.sum(np.maximum(spread, 0))) / share
    return float(rate), float(max(rate - half, 0)), float(min(rate + half, 1))


def churn_rate(churn: pd.DataFrame, at: Literal["last", "total"] | int) -> float:
    """The share that another decoder seed seems to forget: the null of every forgetting rate.

    Args:
        churn: the rows of `queries.churn` on one model.
        at: its last layer, all layers together, or the layer of that number.

    Returns:
        forgotten / right in base; missing where there is no second seed, or the first had nothing right.
    """
    places = {"last": churn["is_last"].eq(True), "total": churn["at"] == "total"}
    counts = churn[places[at] if isinstance(at, str) else churn["layer"] == at]
    known = counts["right_in_base"].sum()
    return float(counts["forgotten"].sum() / known) if known else float("nan")


def by_loss(counts: pd.DataFrame) -> pd.DataFrame:
    """The same table, the relation that lost the largest share of its facts first."""
    share = counts["forgotten"] / counts["facts"]
    order = (
        share.to_frame("share").assign(label=counts["label"]).sort_values(["share", "label"], ascending=[False, True])
    )
    return counts.loc[order.index].reset_index(drop=True)
