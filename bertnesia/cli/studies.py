"""Commands on whole studies: `run`, `publish`, `probe`."""

import math
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bertnesia.cli.common import DataOption, JsonOption, app, console, errors, names

if TYPE_CHECKING:
    import pandas as pd

    from bertnesia.studies.run import StudyRun

_MOST_REASONS = 5
"""Reasons for leaving facts out that are told one by one."""

StudyArgument = Annotated[Path, typer.Argument(help="The study's TOML file.")]
WorkOption = Annotated[
    Path | None, typer.Option("--work", help="Folder for all that is made.", show_default="runs/NAME")
]
ModelsOption = Annotated[
    Path | None,
    typer.Option("--models", help="Folder of local copies: finished models and hub checkpoints, by name."),
]
ProbesOption = Annotated[
    str | None, typer.Option("--probes", help="Probe sets, e.g. trex,google_re.", show_default="the study's")
]
ToOption = Annotated[
    Path | None, typer.Option("--to", help="Publish there, with a copy of the models and decoders that ship.")
]
KeepOption = Annotated[
    Path | None,
    typer.Option(
        "--keep", help="The study as it was published before: results that would come out the same are taken from it."
    ),
]


@app.command()
def run(
    study: StudyArgument,
    data: DataOption = None,
    probes: ProbesOption = None,
    work: WorkOption = None,
    models: ModelsOption = None,
    to: ToOption = None,
    keep: KeepOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show the stages, how long they take and what is to be downloaded.")
    ] = False,
) -> None:
    """Perform a whole study: train what is missing, probe, publish the database."""
    from bertnesia.studies.stages import run_study

    study_run = _study_run(study, data, probes, work, models, keep)
    if dry_run:
        _show_plan(study_run)
        return
    database = run_study(study_run, to)
    _say_how_to_open(database, console)


@app.command()
def publish(
    study: StudyArgument,
    data: DataOption = None,
    probes: ProbesOption = None,
    work: WorkOption = None,
    models: ModelsOption = None,
    to: ToOption = None,
    keep: KeepOption = None,
) -> None:
    """Build a study's database from its results, in one step; probes what has not been probed."""
    from bertnesia.studies.stages import publish_study

    database = publish_study(_study_run(study, data, probes, work, models, keep), to)
    _say_how_to_open(database, console)


@app.command()
def probe(
    models: Annotated[list[str], typer.Argument(help="Model folders or hub names, the base first.")],
    probes: Annotated[
        str, typer.Option("--probes", help="Probe sets or paths of tables, e.g. trex,bear,atlas,mine.csv.")
    ] = "atlas",
    data: DataOption = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.")] = Path("runs/probe"),
    kinds: Annotated[
        str | None, typer.Option("--kinds", help="Decoder kinds.", show_default="those that all models have")
    ] = None,
    layers: Annotated[str, typer.Option("--layers", help="Layers to show: all, 6, 1,3 or 2-4.")] = "all",
    paraphrases: Annotated[
        bool, typer.Option("--paraphrases", help="Compare the relations' templates; keeps no results.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Ask every layer of one or more models the facts of probe sets, and make a database that the app can open."""
    from bertnesia import api

    if paraphrases:
        kind = names(kinds)[0] if kinds else None
        table = api.probe_paraphrases(models, names(probes), layers, kind=kind, data=data)
        _show(table if as_json else table.drop(columns=["relations", "all_alike", "agreement"]), as_json)
        return
    chosen = None if kinds is None else names(kinds)
    _show(api.probe(models, names(probes), layers, kinds=chosen, data=data, out=out), as_json)
    _say_what_was_asked(out / "probe.duckdb")
    _say_how_to_open(out / "probe.duckdb", errors)


def _say_what_was_asked(database: Path) -> None:
    """How many of each probe set's facts were asked, and why the others were not."""
    from bertnesia.store import queries
    from bertnesia.store.study import open_study

    study = open_study(database)
    reasons = queries.left_out(study)
    for row in queries.probe_sets(study).itertuples():
        sentence = f"{row.probe_set}: {row.eligible:,} of {row.facts:,} facts asked."
        found = reasons[reasons["probe_set"] == row.probe_set]
        if len(found):
            shown = [f"{one.facts:,} ({one.reason})" for one in found.head(_MOST_REASONS).itertuples()]
            if rest := int(found["facts"].iloc[_MOST_REASONS:].sum()):
                shown.append(f"{rest:,} for other reasons")
            sentence += f" Left out: {', '.join(shown)}."
        errors.print(sentence, highlight=False, markup=False)


def _say_how_to_open(database: Path, where: Console) -> None:
    where.print(f"Open it with: bertnesia app {shlex.quote(str(database))}", highlight=False, markup=False)


def _study_run(
    study: Path, data: Path | None, probes: str | None, work: Path | None, models: Path | None, keep: Path | None
) -> "StudyRun":
    from bertnesia.studies.keeping import keep_results
    from bertnesia.studies.run import StudyRun, without_lost_points
    from bertnesia.studies.spec import read_study, with_probes

    spec = read_study(study)
    if probes is not None:
        spec = with_probes(spec, names(probes))
    study_run = StudyRun(spec, data, work or Path("runs") / spec.name, models)
    return without_lost_points(keep_results(study_run, keep) if keep else study_run)


def _show_plan(study_run: "StudyRun") -> None:
    from bertnesia.progress import working
    from bertnesia.studies.planning import MISSING, estimate, plan

    stages = plan(study_run)
    with working("Timing a few steps on this machine"):
        seconds = estimate(stages)
    table = Table("stage", title=escape(study_run.spec.title))
    for column in ("what", "size", "state"):
        table.add_column(column, overflow="fold")
    table.add_column("about", justify="right")
    for stage, each in zip(stages, seconds, strict=True):
        time = "" if each is None else _duration(each)
        table.add_row(stage.name, escape(stage.what), stage.size, escape(stage.state), time)
    console.print(table)
    total, megabytes = sum(each or 0 for each in seconds), sum(stage.megabytes for stage in stages)
    about = "At most about" if any(stage.size.startswith("at most") for stage in stages) else "About"
    console.print(f"{about} {_duration(total)} on this machine, as busy as it is; {megabytes:,.0f} MB to download.")
    if any(stage.state == MISSING for stage in stages):
        console.print(
            "Without network, give local copies: --models DIR with a folder for each checkpoint, named as on the hub, "
            "and --data DIR with the files.",
            highlight=False,
        )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:,.0f} days"


def _show(measures: "pd.DataFrame", as_json: bool) -> None:
    """One table for each probe set and decoder kind, so that no number is cut off in 80 columns."""
    if as_json:
        print(measures.to_json(orient="records"))  # noqa: T201
        return
    measures = measures.assign(average=measures.get("average", ""))
    for (probe_set, average, kind), rows in measures.groupby(["probe_set", "average", "kind"], sort=False):
        shown = rows.drop(columns=["probe_set", "average", "kind"])
        averaged = f", {average} average" if average else ""
        table = Table(title=escape(f"{probe_set}{averaged}, {kind} decoders"))
        for column in shown.columns:
            table.add_column(str(column).replace("_", " "), justify="left" if column == "model" else "right")
        for row in shown.itertuples(index=False):
            table.add_row(*(_cell(value) for value in row))
        console.print(table)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "–" if math.isnan(value) else f"{value:.3f}"
    return escape(str(value))
