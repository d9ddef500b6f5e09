"""Held-out scores of a model's own task, as people read them."""

import json

QUALITY = {
    "loss": "Validation loss, nats per masked word",
    "accuracy": "Share of masked words right",
}
"""Scores of decoders, and what their axes are called."""

SHARES = {
    "accuracy": QUALITY["accuracy"],
    "exact_match": "Share of answers exactly right",
    "f1": "F1",
    "answerable_exact_match": "Share of answerable questions exactly right",
    "answerable_f1": "F1 on answerable questions",
    "mrr@10": "MRR@10",
    "first": "Share of questions whose own paragraph is first",
    "precision": "Precision",
    "recall": "Recall",
}
"""Scores that are shares, and what their axes are called."""

SIZES = ("questions", "answerable", "tokens", "sentences")
"""What scores are of, not scores themselves."""

_SHORT = {"f1": "F1", "mrr@10": "MRR@10", "first": "own paragraph first"}
_BESIDES = frozenset({"loss", "answerable_exact_match", "answerable_f1"})


def score_name(score: str) -> str:
    """What the axis of a score is called, whatever the task."""
    return {**SHARES, "loss": "Held-out loss, nats"}.get(score, score.replace("_", " "))


def short_name(score: str) -> str:
    """What a score is called in a sentence."""
    return _SHORT.get(score, score.replace("_", " "))


def scores_text(scores: str) -> str:
    """Held-out scores in a line, the loss after the others, then how much they are of.

    Args:
        scores: a JSON object, as in the column `scores` of the table `models`.
    """
    found = json.loads(scores)
    named = [name for name in found if name not in SIZES and name not in _BESIDES]
    shown = [f"{short_name(name)} {_value(name, found[name])}" for name in named]
    if "loss" in found:
        shown.append(f"loss {found['loss']:.3f}")
    sizes = [f"n = {found[name]:,.0f} {name}" for name in SIZES if name in found and name != "answerable"]
    return "; ".join([*shown, *sizes])


def _value(name: str, value: float) -> str:
    return f"{100 * value:.1f} %" if name in SHARES else f"{value:.3f}"
