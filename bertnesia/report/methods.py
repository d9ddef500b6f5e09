"""Findings with their robustness, what papers report, and how everything was measured."""

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from bertnesia import findings
from bertnesia.analysis.paraphrases import overall
from bertnesia.analysis.significance import TRAINING_RANDOMNESS
from bertnesia.report.exhibits import Cast, Exhibit, Section
from bertnesia.store import queries
from bertnesia.store.queries import Average, Question
from bertnesia.store.study import Study

METHODS = (
    "Each layer of each model is read with a decoder of its own, a masked-language-model head on that layer's hidden "
    "state (BERTnesia, arXiv 2010.09313 and 2106.02902). A fact is asked as a sentence with one mask; only facts "
    "whose answer is one token in that place are asked. The rank of the right answer is 1 plus the number of "
    "vocabulary entries that score strictly higher, over the whole vocabulary. Models are compared on the facts that "
    "all of them could be asked. Intervals of shares are Wilson's; those of means come from a bootstrap over facts, "
    "clustered by relation and object (Wilson's again where no resample differs); tests on pairs are McNemar's exact "
    "test, with Holm's correction over relations. " + TRAINING_RANDOMNESS
)


def findings_exhibits(study: Study, cast: Cast, question: Question, average: Average, name: str) -> Iterator[Exhibit]:
    """Headlines, best layers in two readings, robustness."""
    yield Exhibit(
        f"{question.probe_set}-findings",
        f"Findings on {name}, beside the paper's",
        cast.named(findings.headlines(study, question, average)),
        "Every number is computed from this study; “published” is what the paper reports of its own models.",
        frozenset({"value", "low", "high", "published", "published_low", "published_high"}),
    )
    shares = ("last", "best", "chosen", "chosen_last")
    yield Exhibit(
        f"{question.probe_set}-best-layers",
        "The best layer of every relation, in two readings",
        cast.named(findings.best_layers(study, question)),
        "Relations of fewer than 50 facts are not tested in the reading “ours”.",
        frozenset(shares),
    )
    yield Exhibit(
        f"{question.probe_set}-robustness",
        "Which findings hold whatever the setting",
        cast.named(findings.robustness(study, question.probe_set, question.kind)),
        "Each setting differs from the reference in one thing; no value means that this study did not measure it.",
        frozenset({"value", "low", "high"}),
    )
    yield from _other_words(study, cast, question, average)


def _other_words(study: Study, cast: Cast, question: Question, average: Average) -> Iterator[Exhibit]:
    """What another wording changes, of the models that were asked in other words."""
    runs = queries.runs(study)
    mine = runs[(runs["probe_set"] == question.probe_set) & runs["variant"].str.startswith("paraphrase_")]
    models = tuple(name for name in question.models if name in set(mine["model"]))
    relations = queries.paraphrases(study, replace(question, models=models))
    if (relations["templates"] < 2).all():
        return
    table = overall(relations, average)
    left_out = relations.groupby(["model", "layer"], sort=False, dropna=False)["left_out"].sum()
    table = table.assign(
        left_out=left_out.to_numpy(),
        layer=["any" if pd.isna(layer) else int(layer) for layer in table["layer"]],
    )
    columns = ("mean", "best", "agreement", "consistent_accuracy")
    yield Exhibit(
        f"{question.probe_set}-other-words",
        "The same facts in other words",
        cast.named(table)[["model", "layer", "relations", "facts", "left_out", *columns]],
        "P@1 averaged over a relation's templates, and of the best of them, which was chosen by the same facts: an "
        "upper bound. Agreement: pairs of templates that are both right or both wrong; consistent: right in all words.",
        frozenset(columns),
    )


def methods_section(study: Study) -> Section:
    """Models, decoders, relations, what was asked, quoted figures, versions."""
    models = queries.models(study)
    columns = [
        "model", "label", "role", "base", "objective", "training_data", "architecture", "layers", "hidden_size",
        "vocabulary_size", "parameters", "scores", "encoder_hash",
    ]  # fmt: skip
    decoders = queries.decoders(study).drop(columns="hash")
    return Section(
        "Methods, models and sources",
        METHODS,
        (
            Exhibit("models", "Models", models[columns], "Held-out scores are of the model's own task."),
            Exhibit(
                "decoders", "Decoders", decoders, "Validation loss in nats per masked token.", frozenset({"accuracy"})
            ),
            Exhibit("relations", "Relations", queries.relations(study), "Eligible: for the base's tokenizer."),
            Exhibit("runs", "What was asked", queries.runs(study), "Facts of each model, decoder and prompt variant."),
            Exhibit(
                "published",
                "What papers report",
                queries.published(study),
                "Other models and other facts: look for whether the same things hold.",
                frozenset({"value", "low", "high"}),
            ),
        ),
    )
