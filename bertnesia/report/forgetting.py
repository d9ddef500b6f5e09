"""What fine-tuning made a model forget: by objective, relation, step, amount of data and training text."""

from collections.abc import Iterator
from typing import Literal

from bertnesia import findings
from bertnesia.analysis.forgetting import by_loss, churn_rate, rates
from bertnesia.analysis.measures import percent
from bertnesia.figures.forgetting import by_share, lost_and_buried, outcomes_by_relation
from bertnesia.figures.relations import heat_map
from bertnesia.report.exhibits import Cast, Exhibit
from bertnesia.store import queries
from bertnesia.store.queries import Comparison, Question
from bertnesia.store.study import Study

COUNTS = ["facts", "left_out", "right_in_base", "right_in_model", "retained", "forgotten", "learned"]
RATES = ["forgetting_rate", "forgetting_low", "forgetting_high", "net_change", "net_low", "net_high"]
SHARES = frozenset({*RATES, "churn_of_base", "value", "share"})


def forgetting_exhibits(
    study: Study, cast: Cast, question: Question, tuned: tuple[str, ...], name: str
) -> Iterator[Exhibit]:
    """Every objective side by side; then for each model its relations, steps, data shares and training text."""
    against = Question(question.probe_set, tuned, question.kind)
    yield from _objectives(study, cast, against, name)
    for model in tuned:
        comparison = Comparison(question.probe_set, cast.base, model, question.kind)
        at_last = Comparison(question.probe_set, cast.base, model, question.kind, layer=cast.layers[model])
        label = cast.labels[model]
        yield from _relations(study, at_last, model, label, name)
        yield from _depth(study, comparison, model, label)
        yield from _steps(study, comparison, model, label)
        yield from _shares(study, at_last, model, cast)
        yield from _coverage(study, at_last, model, label)


def _objectives(study: Study, cast: Cast, question: Question, name: str) -> Iterator[Exhibit]:
    counts = rates(findings.beside_controls(study, question))
    churn = queries.churn(study, Question(question.probe_set, (cast.base,), question.kind))
    places: tuple[tuple[Literal["last", "total"], str], ...] = (("last", "the last layer"), ("total", "any layer"))
    for at, where in places:
        table = counts[counts["at"] == at]
        table = table.assign(label=table["model"].map(cast.labels), churn_of_base=churn_rate(churn, at))
        table = table.sort_values(["control", "forgetting_rate"], ascending=[True, False])
        worst = table.iloc[0]
        yield Exhibit(
            f"{question.probe_set}-objectives-{at}",
            f"Every objective, right at {where}",
            table[["label", *COUNTS, *RATES, "churn_of_base"]],
            "Grey and red together are what the base has right, grey and blue what is right after fine-tuning."
            + (" Last come controls, trained as long without a new task to learn." if table["control"].any() else ""),
            SHARES,
            outcomes_by_relation(
                table,
                title=f"Every objective against {cast.labels[cast.base]}",
                note=f"{int(table['facts'].max()):,} facts of {name}; rank 1 at {where}; {question.kind} decoders",
                of="Share of the facts",
            ),
            f"{len(question.models)} models against the base. Most forgetful: {worst.label}, "
            f"{percent(worst.forgetting_rate)}.",
        )


def _relations(study: Study, comparison: Comparison, model: str, label: str, name: str) -> Iterator[Exhibit]:
    counts = rates(by_loss(queries.forgetting(study, comparison)))
    if counts.empty:  # a model that was not asked its last layer
        return
    worst = counts.iloc[0]
    yield Exhibit(
        f"{comparison.probe_set}-forgetting-{model}",
        f"{label}: relation by relation",
        counts[["relation", "label", *COUNTS, *RATES]],
        "The relation that lost the largest share of its facts stands on top; its number of facts is in brackets.",
        SHARES,
        outcomes_by_relation(
            counts,
            title=f"{label}: relation by relation",
            note=f"{int(counts['facts'].sum()):,} facts of {name}; rank 1 at layer {comparison.layer}",
        ),
        f"Most forgotten by {label}: {worst.label}, {worst.forgotten} of {worst.facts} facts.",
    )


def _depth(study: Study, comparison: Comparison, model: str, label: str) -> Iterator[Exhibit]:
    table = queries.lost_and_buried(study, comparison)
    if table.empty:
        return
    table = table.sort_values(["lost", "forgotten"], ascending=False, kind="stable")
    forgotten, lost = int(table["forgotten"].sum()), int(table["lost"].sum())
    yield Exhibit(
        f"{comparison.probe_set}-depth-{model}",
        f"{label}: lost or buried",
        table[["relation", "label", "facts", "forgotten", "lost", "buried", "lost_10", "buried_10"]],
        "Of the facts forgotten at the last layer: lost if no layer says them first now, buried if one does.",
        figure=lost_and_buried(
            table, title=f"{label}: lost or buried", note=f"{forgotten:,} facts forgotten at the last layer"
        ),
        alt=f"Of {forgotten:,} facts forgotten at the last layer, {lost:,} are lost at every layer.",
    )


def _steps(study: Study, comparison: Comparison, model: str, label: str) -> Iterator[Exhibit]:
    table = queries.steps(study, comparison)
    if table["step"].nunique() < 3:
        return
    place = {step: number for number, step in enumerate(sorted(table["step"].unique()), start=1)}
    rows = table.assign(
        value=table["right_in_model"] / table["facts"], correct=table["right_in_model"],
        relation=table["layer"].astype(str), label=[f"layer {layer}" for layer in table["layer"]],
    )  # fmt: skip
    drawn = rows.assign(layer=rows["step"].map(place)).sort_values(["relation", "layer"], ascending=[False, True])
    yield Exhibit(
        f"{comparison.probe_set}-steps-{model}",
        f"{label}: what is known at each step of fine-tuning",
        rows[["step", "layer", *queries.OUTCOMES, "value", "churn_of_base"]],
        "From the base (step 0) to the model itself, at every layer, at the points that were asked with "
        f"{comparison.kind} decoders.",
        SHARES,
        heat_map(
            drawn,
            title=f"{label}: P@1 by layer and step",
            note="in %, columns are steps of fine-tuning",
            colour="#3B7DD8",
            columns={number: f"{int(step):,}" for step, number in place.items()},
        ),
        f"{label}: P@1 by step and layer over {int(table['facts'].max()):,} facts.",
    )
    yield Exhibit(
        f"{comparison.probe_set}-falls-first-{model}",
        f"{label}: which layer falls first",
        findings.falls_first(study, comparison),
        "The first step at which a layer has lost half of what the run makes it lose, with its interval over facts.",
        frozenset({"drop", "drops", "first"}),
    )


def _shares(study: Study, comparison: Comparison, model: str, cast: Cast) -> Iterator[Exhibit]:
    table = queries.shares(study, comparison)
    table = table[table["layer"] == comparison.layer]
    if table.empty:
        return
    rows = rates(table)
    rows = rows.assign(value=rows["forgetting_rate"], low=rows["forgetting_low"], high=rows["forgetting_high"])
    label = cast.labels[model]
    yield Exhibit(
        f"{comparison.probe_set}-data-{model}",
        f"{label}: less training data",
        rows[["share", "matched", "scores", *COUNTS, *RATES, "churn_of_base"]],
        "With as many epochs, less data also means fewer updates; with as many steps, only the data differ. The dashed "
        "line is churn: what another decoder of the base itself would seem to have forgotten.",
        SHARES,
        by_share(
            rows.dropna(subset="value"),
            colour=cast.colours[model],
            title=f"{label}: forgetting by amount of training data",
            note=f"{int(rows['right_in_base'].max()):,} facts right in the base; 95 % intervals",
        ),
        f"{label}: forgetting rate of {len(rows)} runs on parts of the data.",
    )


def _coverage(study: Study, comparison: Comparison, model: str, label: str) -> Iterator[Exhibit]:
    corpora = queries.corpora(study)
    for number, corpus in enumerate(corpora.loc[corpora["probe_set"] == comparison.probe_set, "corpus"], start=1):
        table = rates(queries.coverage_outcomes(study, comparison, str(corpus)))
        if table.empty:
            continue
        named = table["mentioned"].map({True: "mentioned", False: "not mentioned"})
        table = table.assign(label=named).sort_values("mentioned", ascending=False)
        said = "; ".join(f"{row.label}: {percent(row.forgetting_rate)} forgotten" for row in table.itertuples())
        yield Exhibit(
            f"{comparison.probe_set}-coverage-{model}-{number}",
            f"{label}: facts that {corpus} mentions, and others",
            table[["label", *[name for name in COUNTS if name in table], *RATES]],
            "A fact is mentioned if its subject and answer stand together in a passage of the text.",
            SHARES,
            outcomes_by_relation(
                table,
                title=f"{label}: facts that the text mentions, and others",
                note=f"{int(table['facts'].sum()):,} facts; {corpus}",
                of="Share of the facts",
            ),
            f"Outcomes by mention in {corpus}. {said}.",
        )
