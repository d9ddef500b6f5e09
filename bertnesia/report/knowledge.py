"""What is known, in which layer, of which relation."""

from collections.abc import Iterator

import pandas as pd

from bertnesia import findings
from bertnesia.analysis.measures import percent, wilson_interval, with_interval
from bertnesia.analysis.totals import as_many_seeds
from bertnesia.figures.layers import by_layer
from bertnesia.figures.overview import known_bars
from bertnesia.figures.relations import heat_map, side_by_side
from bertnesia.report.exhibits import Cast, Exhibit
from bertnesia.store import queries
from bertnesia.store.queries import Average, Question
from bertnesia.store.study import Study
from bertnesia.titles import probe_set_name

TOTAL_COLUMNS = (
    "probe_set", "model", "facts", "left_out", "last", "last_low", "last_high", "total", "total_low", "total_high",
    "intermediate_share", "best_layer", "best", "chosen", "seeds", "seeds_union", "masked_union", "control_union",
)  # fmt: skip
LAYER_SHARES = (
    "value", "low", "high", "majority_prior", "subject_masked", "above_masked", "above_low", "above_high",
)  # fmt: skip
TOTAL_SHARES = frozenset(TOTAL_COLUMNS) - {"probe_set", "model", "facts", "left_out", "best_layer", "seeds"}


def known(study: Study, cast: Cast, questions: list[Question]) -> Exhibit:
    """Last layer and total of every probe set and model, with what stands beside a total."""
    tables = [
        as_many_seeds(findings.totals(study, one, "micro")).assign(probe_set=probe_set_name(one.probe_set))
        for one in questions
    ]
    table = pd.concat(tables, ignore_index=True)
    facts = int(table.drop_duplicates("probe_set")["facts"].sum())
    best = table.iloc[int(table["total"].to_numpy().argmax())]
    return Exhibit(
        "known",
        "Right at the last layer, and at any layer",
        cast.named(table)[list(TOTAL_COLUMNS)],
        "The full part of a bar is the last layer, the hatched part what only an earlier layer has right. Many "
        "layers find more by luck alone: what as many decoders of the last layer, all layers with the subject "
        "masked, and decoders on an untrained encoder reach stands beside it where it was measured. “best” is the "
        "highest value of one layer, as the paper's formula reads; “chosen”, of the layer chosen on other facts.",
        TOTAL_SHARES,
        known_bars(
            table,
            labels=cast.labels,
            colours=cast.colours,
            title="Right at the last layer, and at any layer",
            measure="Share of facts with rank 1",
            note=f"{facts:,} facts, the same for all models of a probe set; averaged over facts",
        ),
        f"Stacked bars of {len(table)} models and probe sets. Highest: {cast.labels[best['model']]} on "
        f"{best.probe_set}, {percent(best['last'])} at the last layer, {percent(best['total'])} at any.",
    )


def layer_exhibits(study: Study, cast: Cast, question: Question, average: Average, name: str) -> Iterator[Exhibit]:
    """P@1 and P@10 by layer, each model's relations by layer, and models side by side per relation."""
    for k in (1, 10):
        yield _by_layer(study, cast, Question(question.probe_set, question.models, question.kind, k), average, name)
    relations = queries.relation_measures(study, question).assign(value=lambda table: table["precision"])
    for model, label in cast.chosen(question.models).items():
        yield _relations(relations[relations["model"] == model], model, label, cast, question, name)
    yield _side_by_side(relations, cast, question, name)


def _by_layer(study: Study, cast: Cast, question: Question, average: Average, name: str) -> Exhibit:
    table = with_interval(queries.layer_measures(study, question, average), "precision", average)
    prior = float(queries.prior(study, question, average)["precision"].iloc[0])
    masked = findings.above_prior(study, question, average)
    facts, relations = int(table["facts"].max()), int(table["relations"].max())
    peaks = "; ".join(
        f"{cast.labels[str(row.model)]} {row.value:.1%} at layer {row.layer}"
        for row in table.loc[table.groupby("model")["value"].idxmax()].itertuples()
    )
    shown = cast.named(table.assign(majority_prior=prior))
    if len(masked):
        columns = ["model", "layer", "prior", "above", "low", "high"]
        named = {"prior": "subject_masked", "above": "above_masked", "low": "above_low", "high": "above_high"}
        of_layers = masked.dropna(subset="layer")[columns].rename(columns=named)
        shown = table.merge(of_layers, on=["model", "layer"], how="left")
        shown = cast.named(shown.assign(majority_prior=prior))
    counts = ["model", "layer", "facts", "left_out", "relations"]
    shares = [name for name in LAYER_SHARES if name in shown]
    return Exhibit(
        f"{question.probe_set}-layers-p{question.k}",
        f"P@{question.k} by layer",
        shown[[*counts, *shares]],
        "Each point is one layer, read with that layer's own decoder. The dashed line always answers with a relation's "
        "commonest objects; “above masked”, where it was measured, is what needs the subject.",
        frozenset(shares),
        by_layer(
            table,
            labels=cast.chosen(question.models),
            colours=cast.colours,
            markers=cast.markers,
            title=f"P@{question.k} by layer",
            measure=f"P@{question.k}, share of facts right",
            note=f"{facts:,} facts, {relations} relations of {name}; {question.kind} decoders; bands: 95 % intervals",
            prior=prior,
        ),
        f"P@{question.k} by layer over {facts:,} facts. Best: {peaks}. Prior: {prior:.1%}.",
    )


def _relations(rows: pd.DataFrame, model: str, label: str, cast: Cast, question: Question, name: str) -> Exhibit:
    facts = int(rows.drop_duplicates("relation")["facts"].sum())
    best = rows.iloc[int(rows["value"].to_numpy().argmax())]
    return Exhibit(
        f"{question.probe_set}-relations-{model}",
        f"{label}: every relation at every layer",
        rows[["relation", "label", "layer", "facts", "correct", "precision"]],
        "A row that stays pale until the last column is known at the end only; one that is darkest before it is "
        "known in the middle and lost again.",
        frozenset({"precision"}),
        heat_map(
            rows,
            title=f"{label}: P@1 by relation and layer",
            note=f"in %; {facts:,} facts of {name}; {question.kind} decoders",
            colour=cast.colours[model],
        ),
        f"{label}: P@1 per relation and layer. Highest: {best.label} at layer {best.layer}, {percent(best.value)}.",
    )


def _side_by_side(relations: pd.DataFrame, cast: Cast, question: Question, name: str) -> Exhibit:
    last = relations[relations["layer"] == relations["model"].map(cast.layers)].copy()
    last["low"], last["high"] = wilson_interval(last["correct"], last["facts"])
    order = last.groupby("relation")["value"].max().sort_values(ascending=False).index
    last = last.set_index("relation").loc[order].reset_index()
    spread = last.groupby("label")["value"].agg(lambda values: values.max() - values.min())
    return Exhibit(
        f"{question.probe_set}-models-per-relation",
        "Models side by side, per relation",
        cast.named(last)[["relation", "label", "model", "facts", "correct", "value", "low", "high"]],
        "Each mark is one model's last layer, with its 95 % interval.",
        frozenset({"value", "low", "high"}),
        side_by_side(
            last,
            labels=cast.chosen(question.models),
            colours=cast.colours,
            markers=cast.markers,
            title="P@1 per relation at the last layer",
            measure="P@1, share of the relation's facts",
            note=f"{last.drop_duplicates('relation')['facts'].sum():,} facts of {name}; lines are 95 % intervals",
        ),
        f"P@1 of each relation and model. Largest difference: {spread.idxmax()}, {percent(spread.max())}.",
    )
