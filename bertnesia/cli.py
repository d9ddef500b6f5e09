"""The `bertnesia` command: parses options, calls the library, shows the result."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bertnesia import __version__
from bertnesia.errors import BertnesiaError

if TYPE_CHECKING:
    from bertnesia.live import ClozeResult
    from bertnesia.store.study import Study
    from bertnesia.studyrun import StudyRun

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="What each layer of a BERT knows, and what fine-tuning makes it forget.",
)
console = Console()
errors = Console(stderr=True)

ROOT = Path(__file__).resolve().parent.parent
MIN_RATE = 1e-9
SHIPPED = ROOT / "precomputed" / "mini.duckdb"

DataOption = Annotated[Path | None, typer.Option("--data", help="Folder with text and probe sets.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
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
def pretrain(
    text: Annotated[list[Path], typer.Argument(help="Text files, a sentence or paragraph a line, or WikiText.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the model.")],
    start: Annotated[
        str | None, typer.Option("--from", help="Encoder to start from: folder, hub name, package:MODULE/FOLDER.")
    ] = None,
    steps: Annotated[int, typer.Option(help="Optimizer steps.", min=1)] = 1500,
    vocabulary_size: Annotated[int, typer.Option(help="Vocabulary entries to keep, 0 keeps all.", min=0)] = 12_000,
    batch_tokens: Annotated[int, typer.Option(help="Padded tokens in a batch.", min=16)] = 2048,
    max_tokens: Annotated[int, typer.Option(help="Longest training sequence, in tokens.", min=8)] = 64,
    masked: Annotated[float, typer.Option(help="Share of tokens hidden in training.", min=0.01, max=0.9)] = 0.2,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.", min=MIN_RATE)] = 6e-4,
    evaluations: Annotated[int, typer.Option(help="Held-out evaluations and checkpoints.", min=1)] = 10,
    seed: Annotated[int, typer.Option(help="Seed of weights, batches and masks.", min=0)] = 0,
) -> None:
    """Train a masked language model on text, from any BERT encoder or from nothing. Continues a run that was killed."""
    from bertnesia.corpora import read_corpus
    from bertnesia.finetuning.trainer import Schedule
    from bertnesia.pretraining import Pretraining
    from bertnesia.pretraining import pretrain as train_base

    schedule = Schedule(
        steps=steps, batch_tokens=batch_tokens, learning_rate=learning_rate, seed=seed, evaluations=evaluations
    )
    settings = Pretraining(vocabulary_size=vocabulary_size, max_tokens=max_tokens, masked=masked, schedule=schedule)
    provenance = train_base(read_corpus(text), out, settings, start)
    _say_trained(out, provenance["history"][-1], provenance["seconds"])


@app.command()
def finetune(
    objective: Annotated[str, typer.Argument(help="What to train for: qa.")],
    data: Annotated[list[Path], typer.Argument(help="Training files, e.g. SQuAD JSON.")],
    base: Annotated[str, typer.Option("--base", help="Model to start from: folder or hub name.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the model.")],
    epochs: Annotated[float, typer.Option(help="Passes over the training data.", min=0.01)] = 2.0,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.", min=MIN_RATE)] = 1e-4,
    max_tokens: Annotated[int, typer.Option(help="Longest training sequence, in tokens.", min=16)] = 256,
    seed: Annotated[int, typer.Option(help="Seed of the new head, batches and dropout.", min=0)] = 0,
) -> None:
    """Fine-tune a model for an objective, adding nothing but the task's own head."""
    from bertnesia.finetuning.finetune import Finetuning
    from bertnesia.finetuning.finetune import finetune as train_sibling

    schedule = Finetuning().schedule.model_copy(update={"learning_rate": learning_rate, "seed": seed})
    settings = Finetuning(epochs=epochs, max_tokens=max_tokens, stride=min(64, max_tokens // 4), schedule=schedule)
    provenance = train_sibling(objective, base, data, out, settings)
    _say_trained(out, provenance["history"][-1], provenance["seconds"])


@app.command("train-decoders")
def train_decoders(
    model: Annotated[str, typer.Argument(help="Model whose layers are decoded: folder or hub name.")],
    text: Annotated[list[Path], typer.Argument(help="Training text.")],
    base: Annotated[str | None, typer.Option("--base", help="Its base model, if it has no pre-trained head.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the decoders [MODEL/decoders].")] = None,
    exclude: Annotated[
        str, typer.Option("--exclude", help="Probe sets whose facts the text may not mention, e.g. trex,atlas.")
    ] = "atlas",
    data: DataOption = None,
    steps: Annotated[int, typer.Option(help="Optimizer steps.", min=1)] = 500,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.", min=MIN_RATE)] = 1e-3,
    seed: Annotated[int, typer.Option(help="Seed of batches and masks.", min=0)] = 0,
) -> None:
    """Train a decoder for every layer of a model, all layers in one pass, the model frozen."""
    from bertnesia.corpora import read_corpus
    from bertnesia.models.decoder_training import DecoderTraining
    from bertnesia.models.decoder_training import train_decoders as train
    from bertnesia.models.encoder import load_encoder, load_masked_lm, load_tokenizer
    from bertnesia.models.heads import head_weights
    from bertnesia.probes import read_probe_sets

    folder = (out or Path(model) / "decoders") / "trained"
    if folder.exists():
        raise BertnesiaError(f"{folder} already exists: delete it or choose another --out.")
    defaults = DecoderTraining()
    schedule = defaults.schedule.model_copy(update={"steps": steps, "learning_rate": learning_rate, "seed": seed})
    config = train(
        load_encoder(model),
        load_tokenizer(model),
        head_weights(load_masked_lm(base or model)[0]),
        read_corpus(text),
        [fact for probe_set in read_probe_sets(_names(exclude), data) for fact in probe_set.facts],
        folder,
        defaults.model_copy(update={"schedule": schedule}),
    )
    table = Table("layer", "step kept", "validation loss", "accuracy", title=f"Decoders of {model}")
    for record in config.layers:
        table.add_row(str(record.layer), str(record.step), f"{record.loss:.3f}", f"{record.accuracy:.1%}")
    console.print(table)


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
    spec = probe_spec([model.resolve().name for model in models], _names(probes), _names(kinds))
    database = run_study(StudyRun(spec, data, out, models[0].resolve().parent))
    _show_measures(open_study(database), as_json)


@app.command()
def cloze(
    prompt: Annotated[str, typer.Argument(help="A sentence with [MASK] in place of one to four words.")],
    models: Annotated[
        str | None, typer.Option("--models", help="Models of the study, e.g. mini,qa-squad [all].")
    ] = None,
    layers: Annotated[str, typer.Option("--layers", help="all, 6, 1,3 or 2-4.")] = "all",
    k: Annotated[int, typer.Option("-k", help="Predictions for each layer.")] = 5,
    kind: Annotated[str, typer.Option("--kind", help="Decoder kind.")] = "trained",
    watch: Annotated[str, typer.Option("--watch", help="Words whose rank to show, e.g. paris,rome.")] = "",
    db: Annotated[Path, typer.Option("--db", help="The study that names the models.")] = SHIPPED,
    as_json: JsonOption = False,
) -> None:
    """Ask the layers of a study's models for the masked words of a sentence."""
    from bertnesia.live import live_models
    from bertnesia.models.decoders import parse_layers
    from bertnesia.store.study import open_study

    study = open_study(db)
    live = live_models(study)
    names = _names(models) if models else list(live.names)
    depths = study.models().set_index("model")["layers"]
    known = depths[depths.index.isin(names)]  # an unknown name is for `predict` to refuse
    chosen = parse_layers(layers, int((known if len(known) else depths).min()))
    results = live.predict(prompt, names, kind, k, _names(watch))
    if as_json:
        print(json.dumps([_cloze_json(result, chosen) for result in results], ensure_ascii=False))  # noqa: T201
    else:
        for result in results:
            console.print(_cloze_table(result, chosen))


@app.command("app")
def open_app(
    db: Annotated[Path | None, typer.Argument(help="A study's database [the one that ships].")] = None,
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8501,
) -> None:
    """Open the dashboard in the browser; it listens on this machine alone."""
    script = ROOT / "app.py"
    if not script.exists():
        raise BertnesiaError(f"The dashboard is not installed: {script} is missing; run it from a clone.")
    if db and not db.is_file():
        raise BertnesiaError(f"There is no database {db}.")
    environment = {**os.environ, **({"BERTNESIA_DB": str(db.resolve())} if db else {})}
    command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}"]
    raise typer.Exit(subprocess.call(command, env=environment, cwd=ROOT))  # noqa: S603


def _version(show: bool) -> None:
    if show:
        console.print(f"bertnesia {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Options of the command itself."""


def main() -> None:
    """Run the command; bad input is one sentence on standard error and exit code 2."""
    try:
        app()
    except BertnesiaError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"Cannot use {error.filename or 'a file'}: {error.strerror or error}.")


def _fail(sentence: str) -> NoReturn:
    errors.print(f"[bold red]Error:[/] {escape(sentence)}", highlight=False, soft_wrap=True)
    sys.exit(2)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _study_run(
    study: Path, data: Path | None, probes: str | None, work: Path | None, models: Path | None
) -> "StudyRun":
    from bertnesia.studyfile import read_study, with_probes
    from bertnesia.studyrun import StudyRun

    spec = read_study(study)
    if probes is not None:
        spec = with_probes(spec, _names(probes))
    return StudyRun(spec, data, work or Path("runs") / spec.name, models)


def _say_trained(out: Path, scores: dict[str, float], seconds: int) -> None:
    shown = ", ".join(f"{name} {value:.4g}" for name, value in scores.items() if name != "step")
    console.print(f"Saved {out} after {seconds} s; held out: {shown}", highlight=False, markup=False)


def _cloze_json(result: "ClozeResult", layers: list[int]) -> dict[str, object]:
    value = asdict(result)
    value["layers"] = [layer for layer in value["layers"] if layer["layer"] in layers]
    return value


def _cloze_table(result: "ClozeResult", layers: list[int]) -> Table:
    shown = [layer for layer in result.layers if layer.layer in layers]
    table = Table("layer", "predictions", title=f"{result.model}, mask {result.mask}, {result.kind} decoders")
    words = [watched.word for watched in shown[0].watched]
    for word in words:
        table.add_column(f"rank of {word}", justify="right")
    for layer in shown:
        pairs = zip(layer.tokens, layer.probabilities, strict=True)
        predictions = "  ".join(f"{escape(token)} {probability:.0%}" for token, probability in pairs)
        table.add_row(str(layer.layer), predictions, *(f"{watched.rank:,}" for watched in layer.watched))
    return table


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


if __name__ == "__main__":
    main()
