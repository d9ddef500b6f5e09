"""Commands on whole studies: `run`, `publish`, `probe`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from bertnesia.cli.common import DataOption, JsonOption, app, console, names
from bertnesia.errors import BertnesiaError

if TYPE_CHECKING:
    from bertnesia.store.study import Study
    from bertnesia.studyrun import StudyRun

StudyArgument = Annotated[Path, typer.Argument(help="The study's TOML file.")]
WorkOption = Annotated[Path | None, typer.Option("--work", help="Folder for all that is made [runs/NAME].")]
ModelsOption = Annotated[Path | None, typer.Option("--models", help="Use the finished models in this folder.")]
ProbesOption = Annotated[str | None, typer.Option("--probes", help="Probe sets, e.g. trex,google_re [the study's].")]


@app.command()
def run(
    study: StudyArgument,
    data: DataOption = None,
    probes: ProbesOption = None,
    work: WorkOption = None,
    models: ModelsOption = None,
) -> None:
    """Perform a whole study: train what is missing, probe, publish the database."""
    from bertnesia.studies import run_study

    database = run_study(_study_run(study, data, probes, work, models))
    console.print(f"Open it with: make app DB={database}", highlight=False, markup=False)


@app.command()
def publish(
    study: StudyArgument,
    data: DataOption = None,
    probes: ProbesOption = None,
    work: WorkOption = None,
    models: ModelsOption = None,
    to: Annotated[Path | None, typer.Option("--to", help="Also copy the models, and publish there.")] = None,
) -> None:
    """Build a study's database from its results, in one step; probes what has not been probed."""
    from dataclasses import replace

    from bertnesia.publishing import copy_models, publish_results
    from bertnesia.studies import probe_models

    study_run = _study_run(study, data, probes, work, models)
    asked, parts = probe_models(study_run)
    database = study_run.database
    if to:
        copy_models(study_run, to / "models")
        study_run, database = replace(study_run, models=to / "models"), to / database.name
    publish_results(study_run, asked, parts, database)
    console.print(f"Published {database}", highlight=False, markup=False)


@app.command()
def probe(
    models: Annotated[list[Path], typer.Argument(help="Model folders with decoders, the base first.")],
    probes: Annotated[str, typer.Option("--probes", help="Probe sets, e.g. trex,google_re,squad,atlas.")] = "atlas",
    data: DataOption = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.")] = Path("runs/probe"),
    kinds: Annotated[str, typer.Option("--kinds", help="Decoder kinds.")] = "trained,stock",
    as_json: JsonOption = False,
) -> None:
    """Ask every layer of one or more models the facts of probe sets, and make a database that the app can open."""
    from bertnesia.store.study import open_study
    from bertnesia.studies import run_study
    from bertnesia.studyfile import probe_spec
    from bertnesia.studyrun import StudyRun

    folders = {model.resolve() for model in models}
    if len({folder.parent for folder in folders}) > 1:
        raise BertnesiaError("The model folders must lie in one folder.")
    spec = probe_spec([model.resolve().name for model in models], names(probes), names(kinds))
    database = run_study(StudyRun(spec, data, out, models[0].resolve().parent))
    _show_measures(open_study(database), as_json)


def _study_run(
    study: Path, data: Path | None, probes: str | None, work: Path | None, models: Path | None
) -> "StudyRun":
    from bertnesia.studyfile import read_study, with_probes
    from bertnesia.studyrun import StudyRun

    spec = read_study(study)
    if probes is not None:
        spec = with_probes(spec, names(probes))
    return StudyRun(spec, data, work or Path("runs") / spec.name, models)


def _show_measures(study: "Study", as_json: bool) -> None:
    from bertnesia.summary import summarise

    measures = summarise(study)
    if as_json:
        print(measures.to_json(orient="records"))  # noqa: T201
        return
    for (probe_set, average, kind), rows in measures.groupby(["probe_set", "average", "kind"], sort=False):
        shown = rows.drop(columns=["probe_set", "average", "kind"])
        table = Table(title=escape(f"{probe_set}, {average} average, {kind} decoders"))
        for column in shown.columns:
            table.add_column(str(column), justify="left" if column == "model" else "right")
        for row in shown.itertuples(index=False):
            table.add_row(*(f"{value:.3f}" if isinstance(value, float) else escape(str(value)) for value in row))
        console.print(table)
