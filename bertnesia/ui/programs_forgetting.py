"""The code behind the figures and tables of Forgetting."""

from dataclasses import replace

from bertnesia.store import queries
from bertnesia.store.study import Study
from bertnesia.ui.code import Code, call, literal, made, program
from bertnesia.ui.programs import CAST, Words, finish, in_report, quoted, reported
from bertnesia.ui.study import ask


def relations(study: Study, comparison: queries.Comparison, words: Words) -> Code:
    """Outcomes and tests per relation."""
    python = program(
        study,
        _asked(comparison),
        "counts = forgetting.by_loss(queries.forgetting(study, comparison))",
        "table = holm(mcnemar(forgetting.rates(counts)))",
        f"figure = {call('outcomes_by_relation', 'table', **quoted(words))}",
        *finish("forgetting"),
    )
    last = _depth(study, comparison)
    fits = in_report(study, comparison) and comparison.layer == last
    return Code(python, *reported(study, f"{comparison.probe_set}-forgetting-{comparison.model}", fits))


def layers(study: Study, comparison: queries.Comparison, words: Words) -> Code:
    """Outcomes at each layer."""
    return Code(
        program(
            study,
            _asked(comparison),
            "question = comparison.of_models(comparison.model)",
            "table = forgetting.rates(queries.forgetting_by_layer(study, question))",
            f"figure = {call('outcomes_by_layer', 'table', **quoted(words))}",
            *finish("forgetting-by-layer"),
        )
    )


def ranks(study: Study, comparison: queries.Comparison, words: Words) -> Code:
    """How far ranks moved."""
    return Code(
        program(
            study,
            _asked(comparison),
            "table = queries.rank_changes_by_layer(study, comparison)",
            "tested = wilcoxon(queries.signed_ranks(study, comparison))",
            f"figure = {call('rank_changes', 'table', **quoted(words))}",
            *finish("rank-changes"),
            "print(tested.to_string())",
        )
    )


def depth(study: Study, comparison: queries.Comparison, words: Words) -> Code:
    """Lost or buried."""
    python = program(
        study,
        _asked(comparison),
        "table = queries.lost_and_buried(study, comparison)",
        'table = table.sort_values(["lost", "forgotten"], ascending=False, kind="stable")',
        f"figure = {call('lost_and_buried', 'table', **quoted(words))}",
        *finish("lost-and-buried"),
    )
    fits = in_report(study, comparison)
    return Code(python, *reported(study, f"{comparison.probe_set}-depth-{comparison.model}", fits))


def objectives(study: Study, question: queries.Question, base: str, at: str, words: Words) -> Code:
    """Every fine-tuned model against the base, and the controls beside them."""
    python = program(
        study,
        CAST,
        f"question = {made('queries', question)}",
        "table = forgetting.rates(findings.beside_controls(study, question))",
        f'table = table[table["at"] == {literal(at)}]',
        'table = table.assign(label=table["model"].map(cast.labels))',
        'table = table.sort_values(["control", "forgetting_rate"], ascending=[True, False])',
        f"figure = {call('outcomes_by_relation', 'table', **quoted(words))}",
        *finish("objectives"),
    )
    whole = replace(question, models=(base, *question.models))
    return Code(python, *reported(study, f"{question.probe_set}-objectives-{at}", in_report(study, whole)))


def steps(study: Study, comparison: queries.Comparison, words: Words) -> Code:
    """What is still known by step, and which layer falls first."""
    drawn = call(
        "training_curve",
        'table.dropna(subset="value")',
        colour="cast.colours[comparison.model]",
        share="True",
        **quoted(words),
    )
    python = program(
        study,
        CAST,
        _asked(comparison),
        "table = queries.steps(study, comparison)",
        'right = table["right_in_base"]',
        'table = table.assign(value=table["retained"] / right.where(right > 0))',
        f"figure = {drawn}",
        *finish("steps"),
        "first = findings.falls_first(study, comparison)",
        "print(first.to_string())",
    )
    fits = in_report(study, comparison)
    return Code(python, *reported(study, f"{comparison.probe_set}-steps-{comparison.model}", fits))


def data(study: Study, comparison: queries.Comparison, layer: int, words: Words) -> Code:
    """The forgetting rate by amount of data."""
    drawn = call("by_share", 'drawn.dropna(subset="value")', colour="cast.colours[comparison.model]", **quoted(words))
    python = program(
        study,
        CAST,
        _asked(comparison),
        "table = queries.shares(study, comparison)",
        f'table = forgetting.rates(table[table["layer"] == {layer}])',
        'rates = ["forgetting_rate", "forgetting_low", "forgetting_high"]',
        'drawn = table.rename(columns=dict(zip(rates, ["value", "low", "high"])))',
        f"figure = {drawn}",
        *finish("data"),
    )
    fits = in_report(study, comparison) and layer == _depth(study, comparison)
    return Code(python, *reported(study, f"{comparison.probe_set}-data-{comparison.model}", fits))


def text(study: Study, comparison: queries.Comparison, corpus: str, words: Words) -> Code:
    """Outcomes of the facts that a training text mentions, and of the others."""
    return Code(
        program(
            study,
            _asked(comparison),
            f"counts = queries.coverage_outcomes(study, comparison, {literal(corpus)})",
            'table = forgetting.rates(counts).sort_values("mentioned", ascending=False)',
            'label = table["mentioned"].map({True: "mentioned", False: "not mentioned"})',
            "table = table.assign(label=label)",
            f"figure = {call('outcomes_by_relation', 'table', **quoted(words))}",
            *finish("coverage"),
        )
    )


def facts(study: Study, comparison: queries.Comparison, outcome: str, relation: str | None) -> Code:
    """The facts of one outcome."""
    asked = ["study", "comparison", literal(outcome), *([literal(relation)] if relation else [])]
    return Code(
        program(
            study,
            _asked(comparison),
            f"table = queries.changed_facts({', '.join(asked)})",
            "print(table.to_string())",
        )
    )


def _asked(comparison: queries.Comparison) -> str:
    return f"comparison = {made('queries', comparison)}"


def _depth(study: Study, comparison: queries.Comparison) -> int:
    models = ask(study, queries.models)
    return int(models.loc[models["model"] == comparison.model, "layers"].iloc[0])
