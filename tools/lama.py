"""The tables of docs/lama.md, from the database that studies/lama.toml makes (`python -m tools.lama DATABASE`)."""

import argparse
import sys
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from bertnesia import findings
from bertnesia.analysis.measures import percent
from bertnesia.store import queries
from bertnesia.store.queries import Question, default_average
from bertnesia.store.study import Study, open_study
from bertnesia.titles import probe_set_name

RELATIONS = ("best_in_intermediate_layer", "doubles_in_last_layer")
READINGS = ("paper", "ours")
WORDS = {"best_in_intermediate_layer": "best before the last", "doubles_in_last_layer": "doubles in the last"}


def main() -> None:
    """Print the tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", type=Path)
    study = open_study(parser.parse_args().database)
    found = pd.concat(headlines(study, name) for name in probe_sets(study))
    tables = {
        "The base at its last layer": base(study),
        "What is known": known(study),
        "Relations": relations(study, found),
        "Forgetting rate": changes(study, found, "forgetting_rate", "churn"),
        "Net change": changes(study, found, "net_change"),
        "What holds": robust(study),
    }
    for title, rows in tables.items():
        sys.stdout.write("\n".join([title, "", *markdown(rows), "", ""]))


def base(study: Study) -> Iterator[Sequence[str]]:
    """P@k of the base's last layer over the facts that it could be asked and over all, beside its priors."""
    ks = 1, 10, 100
    yield (
        "probe set",
        "facts asked",
        *(f"P@{k}" for k in ks),
        "all facts",
        *(f"P@{k} of all" for k in ks),
        "guessing",
        "subject masked",
    )
    for probe_set in probe_sets(study):
        average = default_average(probe_set)
        question = Question(probe_set, (study.base,))
        rows = []
        for all_facts in (False, True):
            tables = [queries.layer_measures(study, replace(question, k=k, all_facts=all_facts), average) for k in ks]
            last = [table.sort_values("layer").iloc[-1] for table in tables]
            rows.append((f"{last[0]['facts']:,}", *(percent(row["precision"]) for row in last)))
        guessed = percent(queries.prior(study, question, average)["precision"].item())
        above = findings.above_prior(study, question, average).dropna(subset="layer").sort_values("layer")
        masked = percent(above["prior"].iloc[-1]) if len(above) else "–"  # sentences without a template have no subject
        yield probe_set_name(probe_set), *rows[0], *rows[1], guessed, masked


def known(study: Study) -> Iterator[Sequence[str]]:
    """P@1 of the last layer and of all together, beside what guessing well and a union by itself would give."""
    yield (
        "probe set",
        "model",
        "facts",
        "guessing",
        "last layer",
        "any layer",
        "six last layers",
        "subject masked",
        "untrained encoder",
        "earlier only",
        "95 %",
    )
    for probe_set in probe_sets(study):
        question, average = asked(study, probe_set), default_average(probe_set)
        table = findings.totals(study, question, average)
        guessed = percent(float(queries.prior(study, question, average)["precision"].iloc[0]))
        for row in table.to_dict("records"):
            share = percent(row["intermediate_share_low"]), percent(row["intermediate_share_high"])
            unions = (f"{name}_union" for name in ("seeds", "masked", "control"))
            cells = [percent(row[name]) for name in ("last", "total", *unions, "intermediate_share")]
            yield (
                probe_set_name(probe_set),
                label(study, row["model"]),
                f"{row['facts']:,}",
                guessed,
                *cells,
                " to ".join(share),
            )


def relations(study: Study, found: pd.DataFrame) -> Iterator[Sequence[str]]:
    """Shares of the relations of all probe sets, in the paper's reading and in ours."""
    yield "model", *(f"{WORDS[finding]}, {reading}" for finding in RELATIONS for reading in READINGS)
    found = found[found["finding"].isin(RELATIONS)].astype({"count": int, "of": int})
    counts = found.groupby(["model", "finding", "reading"], sort=False)[["count", "of"]].sum()
    for model in counts.index.unique("model"):
        cells = (counts.loc[(model, finding, reading)] for finding in RELATIONS for reading in READINGS)
        yield label(study, model), *(f"{row['count']} of {row['of']}" for row in cells)


def changes(study: Study, found: pd.DataFrame, *findings_of_all: str) -> Iterator[Sequence[str]]:
    """Findings on what changed at the last layer, in percent with their 95 % intervals, by model and probe set."""
    names = probe_sets(study)
    yield "", *(probe_set_name(name) for name in names)
    found = found[found["finding"].isin(findings_of_all) & (found["at"] == "last")]
    for (finding, model), mine in found.groupby(["finding", "model"], sort=False):
        told = {row["probe_set"]: with_interval(row) for row in mine.to_dict("records")}
        title = label(study, model)
        yield f"{finding} of {title}" if finding == "churn" else title, *(told.get(name, "") for name in names)


def robust(study: Study) -> Iterator[Sequence[str]]:
    """In how many of the measured settings each finding holds."""
    yield "probe set", "finding", "model", "holds in", "not in"
    for probe_set in probe_sets(study):
        table = findings.robustness(study, probe_set).dropna(subset="holds")
        for (finding, model), mine in table.groupby(["finding", "model"], sort=False):
            but = ", ".join(mine.loc[~mine["holds"].astype(bool), "setting"])
            yield (
                probe_set_name(probe_set),
                finding,
                label(study, model),
                f"{int(mine['holds'].sum())} of {len(mine)}",
                but,
            )


def headlines(study: Study, probe_set: str) -> pd.DataFrame:
    return findings.headlines(study, asked(study, probe_set), default_average(probe_set)).assign(probe_set=probe_set)


def with_interval(row: Mapping[Hashable, Any]) -> str:
    low, high = f"{100 * row['low']:.1f}", f"{100 * row['high']:.1f}"
    return f"{100 * row['value']:.1f} ({low} to {high})"


def asked(study: Study, probe_set: str) -> Question:
    runs = queries.runs(study)
    models = runs.loc[(runs["probe_set"] == probe_set) & (runs["role"] == "model"), "model"]
    return Question(probe_set, tuple(models.unique()))


def probe_sets(study: Study) -> list[str]:
    """Those of the study, the one with the most facts first."""
    return list(queries.probe_sets(study).sort_values("facts", ascending=False)["probe_set"])


def label(study: Study, model: str) -> str:
    return str(study.models().set_index("model").loc[model, "label"])


def markdown(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The rows, the first of them headings, as lines of a table."""
    for number, row in enumerate(rows):
        yield f"| {' | '.join(row)} |"
        if number == 0:
            yield "|---" * len(row) + "|"


if __name__ == "__main__":
    main()
