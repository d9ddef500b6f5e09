"""Live predictions as tables."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from bertnesia.live import ClozeResult


def predictions_table(results: "Sequence[ClozeResult]", labels: Mapping[str, str]) -> pd.DataFrame:
    """One row per predicted word: model, label, mask, layer, place (from 1), token, probability, rank_before."""
    rows = [
        (
            result.model,
            labels.get(result.model, result.model),
            result.mask,
            layer.layer,
            place,
            token,
            probability,
            layer.ranks_before[place - 1] if layer.ranks_before else None,
        )
        for result in results
        for layer in result.layers
        for place, (token, probability) in enumerate(zip(layer.tokens, layer.probabilities, strict=True), start=1)
    ]
    columns = ["model", "label", "mask", "layer", "place", "token", "probability", "rank_before"]
    return pd.DataFrame(rows, columns=columns).astype({"rank_before": "Int64"})


def watched_table(results: "Sequence[ClozeResult]", labels: Mapping[str, str]) -> pd.DataFrame:
    """One row per right answer or watched word: model, label, mask, word, layer, rank, probability."""
    rows = [
        (
            result.model,
            labels.get(result.model, result.model),
            result.mask,
            one.word,
            layer.layer,
            one.rank,
            one.probability,
        )
        for result in results
        for layer in result.layers
        for one in (*([layer.answer] if layer.answer else []), *layer.watched)
    ]
    return pd.DataFrame(rows, columns=["model", "label", "mask", "word", "layer", "rank", "probability"])


def layer_table(results: "Sequence[ClozeResult]", labels: Mapping[str, str], chosen: int) -> pd.DataFrame:
    """The words of one layer in every model (of the last layer in shallower ones).

    Returns:
        model, label, mask, word, rank, probability, likely (whether it is among the model's own likeliest), right
        (whether it is the right answer).
    """
    rows = [
        (
            result.model,
            labels.get(result.model, result.model),
            result.mask,
            one.word,
            one.rank,
            one.probability,
            one.token in layer.tokens,
            layer.answer is not None and one.token == layer.answer.token,
        )
        for result in results
        for layer in [result.layers[min(chosen, len(result.layers)) - 1]]
        for one in layer.also
    ]
    return pd.DataFrame(rows, columns=["model", "label", "mask", "word", "rank", "probability", "likely", "right"])


def distance_table(results: "Sequence[ClozeResult]", labels: Mapping[str, str]) -> pd.DataFrame:
    """How far each model is from the first: model, label, mask, layer, total_variation, divergence."""
    rows = [
        (
            result.model,
            labels.get(result.model, result.model),
            result.mask,
            layer.layer,
            layer.distance.total_variation,
            layer.distance.divergence,
        )
        for result in results
        for layer in result.layers
        if layer.distance
    ]
    return pd.DataFrame(rows, columns=["model", "label", "mask", "layer", "total_variation", "divergence"])


def forgotten_layers(results: "Sequence[ClozeResult]") -> list[int]:
    """The layers at which, for one mask, the first model has the right answer first and another one has not."""
    known = results[0].right_at
    return [layer for layer in known if any(layer not in result.right_at for result in results[1:])]


def side_by_side(table: pd.DataFrame) -> pd.DataFrame:
    """`layer_table` with a row for each mask and word: in whose likeliest it is, and rank and probability by model."""
    models = list(dict.fromkeys(table["model"]))
    wide = table.pivot(index=["mask", "word"], columns="model", values=["rank", "probability"])
    wide.columns = wide.columns.map(lambda pair: f"{pair[1]} {pair[0]}")
    likely = table[table["likely"]].groupby(["mask", "word"])["label"].agg(", ".join)
    wide.insert(0, "found", likely)
    return wide.reset_index().sort_values(["mask", f"{models[0]} rank"], ignore_index=True)


def with_stored(table: pd.DataFrame, stored: pd.DataFrame) -> pd.DataFrame:
    """`watched_table` of a stored fact's prompt with the column `stored`: the answer's rank in the study.

    Args:
        table: as `watched_table` gives it; its first word is the right answer.
        stored: model, layer, rank.
    """
    ranks = stored[["model", "layer", "rank"]].rename(columns={"rank": "stored"})
    found = table.merge(ranks, on=["model", "layer"], how="left")
    return found.assign(stored=found["stored"].where(found["word"] == table["word"].iloc[0]).astype("Int64"))


def shares_right(rows: pd.DataFrame) -> pd.DataFrame:
    """Of a list's masks with a ranked answer, how many each layer has first.

    Args:
        rows: model, layer, rank (missing where there is none).

    Returns:
        model, layer, facts, correct, value.
    """
    ranked = rows[rows["rank"].notna()]
    groups = ranked.assign(correct=ranked["rank"] == 1).groupby(["model", "layer"], as_index=False)
    counts = groups.agg(facts=("rank", "size"), correct=("correct", "sum"))
    return counts.assign(value=counts["correct"] / counts["facts"])


def list_at_layer(rows: pd.DataFrame, layer: int) -> pd.DataFrame:
    """A list's rows at one layer (the last one of shallower models), a row for each mask, models side by side."""
    depth = rows.groupby("model")["layer"].transform("max")
    chosen = rows[rows["layer"] == depth.clip(upper=layer)]
    values = ["word_1", "probability_1", "rank"]
    wide = chosen.pivot(index=["number", "prompt", "mask", "answer"], columns="model", values=values)
    wide.columns = wide.columns.map(lambda pair: f"{pair[1]} {pair[0]}")
    return wide.reset_index().dropna(axis=1, how="all")
