"""The code behind the figures and tables of Overview, Layers, Relations and Facts."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from bertnesia.analysis.measures import Measure
from bertnesia.store import browsing, queries
from bertnesia.store.study import Study
from bertnesia.ui.access import is_public
from bertnesia.ui.code import Code, call, command, literal, made, path_of, program
from bertnesia.ui.study import ask

CAST = "cast = cast_of(study)  # names, colours and markers of the models"
LOOKS = {"colours": "cast.colours", "markers": "cast.markers"}
_TABLES = "tables"

Words = Mapping[str, str]
"""Title, note and the like of a figure, by argument."""


def quoted(words: Words) -> dict[str, str]:
    """The words of a figure as source."""
    return {name: literal(text) for name, text in words.items()}


def finish(name: str, table: str = "table") -> tuple[str, str]:
    """The lines that save a figure and print its table."""
    return f"figure.write_html({literal(f'{name}.html')})", f"print({table}.to_string())"


def reported(study: Study, file: str, fits: bool) -> tuple[str | None, str]:
    """The command that writes the study's tables and what to look for, if this choice is among them."""
    if not fits:
        return None, "No command gives this choice: `bertnesia report` writes rank 1, unfiltered, for all models."
    return command("report", path_of(study), "--csv", _TABLES), f"The same numbers are then in {_TABLES}/{file}.csv."


def in_report(study: Study, question: queries.Question | queries.Comparison) -> bool:
    """Whether the report asks this, as far as decoders, ranks and models go."""
    asked = ask(study, queries.asked)
    asked = asked[asked["probe_set"] == question.probe_set]
    first = "trained" if (asked["kind"] == "trained").any() else str(asked["kind"].iloc[0])
    same = question.kind == first and question.k == 1 and not question.filtered and not question.relations
    models = getattr(question, "models", None)
    return same and (models is None or set(models) == set(asked.loc[asked["kind"] == first, "model"]))


def known(study: Study, questions: Mapping[str, queries.Question], words: Words) -> Code:
    """Last layer and total of every probe set; `questions` by what to call their probe set."""
    listed = ",\n".join(f"    {literal(name)}: {_inner(made('queries', one))}" for name, one in questions.items())
    drawn = call("known_bars", "table", labels="cast.labels", colours="cast.colours", **quoted(words))
    python = program(
        study,
        CAST,
        f"questions = {{\n{listed},\n}}",
        "tables = [",
        '    as_many_seeds(findings.totals(study, question, "micro")).assign(probe_set=name)',
        "    for name, question in questions.items()",
        "]",
        "table = pd.concat(tables, ignore_index=True)",
        f"figure = {drawn}",
        *finish("known"),
    )
    return Code(python, *reported(study, "known", all(in_report(study, one) for one in questions.values())))


def models_compared(study: Study, question: queries.Question, tuned: Sequence[str]) -> Code:
    """Every model's last layer and total, and the fine-tuned ones against their base."""
    lines = [f"question = {made('queries', question)}", 'table = findings.totals(study, question, "micro")']
    shown = ["print(table.to_string())"]
    if tuned:
        against = queries.Question(question.probe_set, tuple(tuned), question.kind, question.k)
        lines += [
            f"tuned = {made('queries', against)}",
            "pairs = findings.beside_controls(study, tuned)",
            'changes = forgetting.rates(pairs[pairs["at"] == "total"])',
        ]
        shown.append("print(changes.to_string())")
    fits = in_report(study, question)
    return Code(program(study, *lines, *shown), *reported(study, "known", fits))


def headlines(study: Study, question: queries.Question) -> Code:
    """The findings beside the paper's."""
    python = program(
        study,
        f"question = {made('queries', question)}",
        "table = findings.headlines(study, question)",
        "print(table.to_string())",
    )
    fits = in_report(study, question) and queries.default_average(question.probe_set) == "macro"
    return Code(python, *reported(study, f"{question.probe_set}-findings", fits))


def layers(
    study: Study,
    question: queries.Question,
    average: queries.Average,
    measure: Measure,
    words: Words,
    *,
    masked: bool,
) -> Code:
    """A measure by layer, with the prior and, where it is shown, the subject masked."""
    asked = f"study, question, {literal(average)}"
    drawn = call(
        "by_layer",
        "table",
        labels="cast.chosen(question.models)",
        **LOOKS,
        **quoted(words),
        prior="prior",
        **({"masked": "masked"} if masked else {}),
    )
    python = program(
        study,
        CAST,
        f"question = {made('queries', question)}",
        f"table = with_interval(queries.layer_measures({asked}), {literal(measure)}, {literal(average)})",
        f"prior = queries.prior({asked})[{literal(measure)}].iloc[0]",
        *([f"masked = findings.above_prior({asked})"] if masked else []),
        f"figure = {drawn}",
        *finish("layers"),
    )
    return Code(python, *_layers_command(study, question, average, measure))


def _layers_command(
    study: Study, question: queries.Question, average: queries.Average, measure: Measure
) -> tuple[str | None, str]:
    usual = average == queries.default_average(question.probe_set)
    one = queries.Question(question.probe_set, question.models, question.kind, 1, question.filtered, question.relations)
    if usual and measure == "precision" and question.k in (1, 10) and in_report(study, one):
        return reported(study, f"{question.probe_set}-layers-p{question.k}", fits=True)
    folders = _folders(study, question.models)
    plain = not question.filtered and not question.relations and question.kind in ("stock", "trained")
    if usual and plain and folders and question.probe_set == "atlas" and not is_public():
        words = ("probe", *folders, "--probes", "atlas", "--kinds", question.kind)
        return command(*words), "Asks the models anew, for P@1, P@10, P@100 and MRR of every layer; takes a minute."
    return None, "No command gives this choice: `bertnesia report` writes P@1 and P@10 over all relations and models."


def _folders(study: Study, models: Sequence[str]) -> list[str]:
    """Where the models lie, if they all do."""
    table = ask(study, queries.models).set_index("model")
    here = Path.cwd()
    places = [(study.path.parent / str(table.loc[name, "folder"])).resolve() for name in models]
    if not all((place / "config.json").is_file() for place in places):
        return []
    return [(place.relative_to(here) if place.is_relative_to(here) else place).as_posix() for place in places]


def pretraining(
    study: Study, question: queries.Question, average: queries.Average, measure: Measure, words: Words
) -> Code:
    """A measure of the base by step of its pre-training, a line per layer."""
    drawn = call("training_curve", "table", colour="cast.colours[study.base]", share="True", **quoted(words))
    python = program(
        study,
        CAST,
        f"question = {made('queries', question)}",
        f"table = queries.pretraining_steps(study, question, {literal(average)})",
        f'table["value"] = table[{literal(measure)}]',
        f"figure = {drawn}",
        *finish("pretraining"),
    )
    return Code(python)


def appearance(study: Study, question: queries.Question, words: Words) -> Code:
    """The layer at which facts are first right."""
    drawn = call(
        "appearance",
        "table",
        labels="cast.chosen(question.models)",
        colours="cast.colours",
        **quoted(words),
    )
    python = program(
        study,
        CAST,
        f"question = {made('queries', question)}",
        "table = queries.first_known(study, question)",
        f"figure = {drawn}",
        *finish("appearance"),
    )
    return Code(python)


def relations(
    study: Study,
    question: queries.Question,
    measure: Measure,
    words: Words,
    *,
    model: str,
    bases: Mapping[str, str] | None,
    chosen: tuple[str, int] | None,
) -> Code:
    """One model's heat map of relation by layer; minus its base's, where `bases` are given."""
    lines = [
        CAST,
        f"question = {made('queries', question)}",
        "table = queries.relation_measures(study, question)",
        f"table = table.assign(value=table[{literal(measure)}])",
    ]
    if bases is not None:
        lines += [
            f"bases = {literal(dict(bases))}",
            'values = table.set_index(["model", "relation", "layer"])["value"]',
            'table = table[table["model"].isin(bases)]',
            'columns = [table["model"].map(bases), table["relation"], table["layer"]]',
            "of_base = values.reindex(pd.MultiIndex.from_arrays(columns)).to_numpy()",
            'table = table.assign(value=table["value"] - of_base)',
        ]
    drawn = call(
        "heat_map",
        "rows",
        colour=f"cast.colours[{literal(model)}]",
        top='max(table["value"].abs().max(), 0.01)',
        **quoted(words),
        **({} if bases is None else {"change": "True"}),
        **({} if chosen is None else {"chosen": literal(chosen)}),
    )
    lines += [
        f'rows = table[table["model"] == {literal(model)}]',
        f"figure = {drawn}",
        *finish("relations", "rows"),
    ]
    fits = bases is None and measure == "precision" and in_report(study, question)
    return Code(program(study, *lines), *reported(study, f"{question.probe_set}-relations-{model}", fits))


def cell(study: Study, asked: browsing.Cell) -> Code:
    """The facts of one cell."""
    return Code(
        program(
            study,
            f"cell = {made('browsing', asked)}",
            "table = browsing.cell_facts(study, cell)",
            "print(table.to_string())",
        )
    )


def side_by_side(study: Study, question: queries.Question, measure: Measure, words: Words) -> Code:
    """Each relation's value at each model's last layer."""
    drawn = call("side_by_side", "table", labels="cast.chosen(question.models)", **LOOKS, **quoted(words))
    ends = 'wilson_interval(table["correct"], table["facts"])'
    if measure == "mrr":
        ends = 'table["value"], table["value"]'
    python = program(
        study,
        CAST,
        f"question = {made('queries', question)}",
        "table = queries.relation_measures(study, question)",
        f"table = table.assign(value=table[{literal(measure)}])",
        'table = table[table["layer"] == table["model"].map(cast.layers)]',
        f"low, high = {ends}",
        "table = table.assign(low=low, high=high)",
        'order = table.groupby("relation")["value"].max().sort_values(ascending=False).index',
        'table = table.set_index("relation").loc[order].reset_index()',
        f"figure = {drawn}",
        *finish("models-per-relation"),
    )
    fits = measure == "precision" and in_report(study, question)
    return Code(python, *reported(study, f"{question.probe_set}-models-per-relation", fits))


def search(study: Study, wanted: browsing.FactFilter, page: int, size: int) -> Code:
    """One page of the facts that were found, with their ranks at the last layer."""
    return Code(
        program(
            study,
            f"wanted = {made('browsing', wanted)}",
            f"table = browsing.browse_facts(study, wanted, page={page}, size={size})",
            f'ranks = browsing.last_ranks(study, tuple(table["fact"]), kind={literal(wanted.kind)})',
            'ranks = ranks.pivot(index="fact", columns="model", values="rank")',
            'table = table.join(ranks, on="fact")',
            "print(table.to_string())",
        )
    )


def fact(study: Study, one: pd.Series, kind: str, models: Sequence[str], words: Words) -> Code:
    """One fact's rank by layer, and what each layer answers."""
    drawn = call("rank_by_layer", "table", labels="cast.labels", **LOOKS, **quoted(words))
    python = program(
        study,
        CAST,
        f"table = queries.fact_ranks(study, {int(one.fact)}, kind={literal(kind)})",
        f"figure = {drawn}",
        *finish("fact"),
    )
    if kind not in ("stock", "trained") or not _folders(study, models) or is_public():
        return Code(python, None, "The models or these decoders are not at hand here, so no command asks them live.")
    options = ("--models", ",".join(models), "--kind", kind, "--answer", str(one.object), "--db", path_of(study))
    return Code(python, command("cloze", str(one.prompt), *options), "Asks the models anew, live.")


def _inner(source: str) -> str:
    return source.replace("\n", "\n    ")
