"""Commands that train: `pretrain`, `finetune`, `train-decoders`."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from bertnesia.cli.common import MIN_RATE, DataOption, app, console, names
from bertnesia.errors import BertnesiaError

DATA = "Data and task"
TRAINING = "Training"
PROBING = "Probing on the way"

Precision = Literal["float32", "bfloat16"]


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
    favour_rare: Annotated[
        float, typer.Option(help="Hide rare tokens more: by frequency to the power of minus this.", min=0, max=1)
    ] = 0.0,
    short: Annotated[float, typer.Option(help="Share of the sentences read shortened, too.", min=0, max=1)] = 0.0,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.", min=MIN_RATE)] = 6e-4,
    head_rate: Annotated[float, typer.Option(help="That of embeddings and head, in the body's.", min=MIN_RATE)] = 1.0,
    warmup: Annotated[float, typer.Option(help="Share of the steps in which it rises.", min=0, max=0.99)] = 0.06,
    weight_decay: Annotated[float, typer.Option(help="AdamW's weight decay.", min=0)] = 0.01,
    dropout: Annotated[float, typer.Option(help="Dropout while training.", min=0, max=0.9)] = 0.0,
    precision: Annotated[
        Precision, typer.Option(help="Of matrix products; bfloat16 is faster where the processor has it.")
    ] = "float32",
    evaluations: Annotated[int, typer.Option(help="Held-out evaluations and checkpoints.", min=1)] = 10,
    long_steps: Annotated[int, typer.Option(help="Steps of a second stage, on longer text.", min=0)] = 0,
    long_tokens: Annotated[int, typer.Option(help="Length of its windows, in tokens.", min=16)] = 256,
    long_rate: Annotated[float, typer.Option(help="Its highest learning rate.", min=MIN_RATE)] = 3e-4,
    keep_at: Annotated[
        str, typer.Option("--keep-at", help="Points at which to keep the model as OUT-at-5 and so on, e.g. 5%,25%,50%.")
    ] = "",
    seed: Annotated[int, typer.Option(help="Seed of weights, batches and masks.", min=0)] = 0,
) -> None:
    """Train a masked language model on text, from any BERT encoder or from nothing. Continues a run that was killed."""
    from bertnesia.corpora import read_corpus
    from bertnesia.finetuning.snapshots import folder_at, read_shares
    from bertnesia.finetuning.trainer import Schedule
    from bertnesia.pretraining import LongStage, Pretraining
    from bertnesia.pretraining import pretrain as train_base

    schedule = Schedule(
        steps=steps,
        batch_tokens=batch_tokens,
        learning_rate=learning_rate,
        warmup=warmup,
        weight_decay=weight_decay,
        seed=seed,
        evaluations=evaluations,
        precision=precision,
    )
    changes = {"steps": long_steps, "learning_rate": long_rate, "warmup": 0.1, "evaluations": 2}
    long = LongStage(max_tokens=long_tokens, schedule=schedule.model_copy(update=changes)) if long_steps else None
    settings = Pretraining(
        vocabulary_size=vocabulary_size,
        max_tokens=max_tokens,
        masked=masked,
        favour_rare=favour_rare,
        short=short,
        head_rate=head_rate,
        dropout=dropout,
        schedule=schedule,
        long=long,
    )
    kept = {share: folder_at(out, share) for share in read_shares(keep_at)}
    provenance = train_base(read_corpus(text), out, settings, start, kept)
    _say_trained(out, provenance["history"][-1], provenance["seconds"])


@app.command()
def finetune(
    objective: Annotated[str, typer.Argument(help="What to train for: mlm, ner, qa, ranking or sham-qa.")],
    data: Annotated[
        list[Path], typer.Argument(help="SQuAD JSON (qa, sham-qa, ranking, mlm), triples TSV, CoNLL, or text (mlm).")
    ],
    base: Annotated[str, typer.Option("--base", help="Model to start from: folder or hub name.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the model.")],
    epochs: Annotated[float, typer.Option(help="Passes over the training data.", min=0.01, rich_help_panel=DATA)] = 2.0,
    steps: Annotated[
        int | None, typer.Option(help="Optimizer steps, in place of epochs.", min=1, rich_help_panel=DATA)
    ] = None,
    share: Annotated[
        float, typer.Option(help="Share of the training paragraphs to take.", min=0.0001, max=1, rich_help_panel=DATA)
    ] = 1.0,
    matched: Annotated[
        str, typer.Option(help="A share's run is as long in: epochs or steps.", rich_help_panel=DATA)
    ] = "epochs",
    held_out: Annotated[
        float, typer.Option(help="Share held out, whole articles.", min=0.001, max=0.999, rich_help_panel=DATA)
    ] = 0.15,
    most_held_out: Annotated[
        int | None, typer.Option(help="Most held-out examples to score.", min=1, rich_help_panel=DATA)
    ] = None,
    answerable_only: Annotated[
        bool,
        typer.Option("--answerable-only", help="SQuAD: leave out questions without an answer.", rich_help_panel=DATA),
    ] = False,
    masked: Annotated[
        float, typer.Option(help="mlm: share of tokens hidden.", min=0.01, max=0.9, rich_help_panel=DATA)
    ] = 0.15,
    negatives: Annotated[
        int, typer.Option(help="ranking: wrong passages a question in training.", min=1, rich_help_panel=DATA)
    ] = 1,
    candidates: Annotated[
        int, typer.Option(help="ranking: passages a held-out question.", min=2, rich_help_panel=DATA)
    ] = 20,
    batch_tokens: Annotated[
        int, typer.Option(help="Padded tokens in a batch.", min=16, rich_help_panel=TRAINING)
    ] = 4096,
    max_tokens: Annotated[
        int, typer.Option(help="Longest training sequence, in tokens.", min=16, rich_help_panel=TRAINING)
    ] = 256,
    learning_rate: Annotated[
        float, typer.Option(help="Highest learning rate.", min=MIN_RATE, rich_help_panel=TRAINING)
    ] = 1e-4,
    warmup: Annotated[
        float, typer.Option(help="Share of the steps in which it rises.", min=0, max=0.99, rich_help_panel=TRAINING)
    ] = 0.1,
    weight_decay: Annotated[float, typer.Option(help="AdamW's weight decay.", min=0, rich_help_panel=TRAINING)] = 0.01,
    dropout: Annotated[
        float | None,
        typer.Option(
            help="Dropout while training.", min=0, max=0.9, show_default="the base's", rich_help_panel=TRAINING
        ),
    ] = None,
    precision: Annotated[
        Precision,
        typer.Option(
            help="Of matrix products; bfloat16 is faster where the processor has it.", rich_help_panel=TRAINING
        ),
    ] = "float32",
    evaluations: Annotated[
        int, typer.Option(help="Held-out evaluations and checkpoints.", min=1, rich_help_panel=TRAINING)
    ] = 4,
    seed: Annotated[
        int, typer.Option(help="Seed of the new head, batches and dropout.", min=0, rich_help_panel=TRAINING)
    ] = 0,
    probe_at: Annotated[
        str,
        typer.Option(
            "--probe-at",
            help="Points of the run at which all layers are probed, e.g. 1%,5%,50%,100%.",
            rich_help_panel=PROBING,
        ),
    ] = "",
    probes: Annotated[
        str, typer.Option("--probes", help="Probe sets to ask there.", rich_help_panel=PROBING)
    ] = "atlas",
    decoders_at: Annotated[
        str,
        typer.Option(
            "--decoders-at",
            help="Those of the points at which decoders are trained anew, too.",
            rich_help_panel=PROBING,
        ),
    ] = "",
    text: Annotated[
        list[Path] | None, typer.Option("--text", help="Training text for these decoders.", rich_help_panel=PROBING)
    ] = None,
    decoder_steps: Annotated[
        int, typer.Option(help="Optimizer steps of these decoders.", min=1, rich_help_panel=PROBING)
    ] = 500,
    probe_data: DataOption = None,
) -> None:
    """Fine-tune a model for an objective, adding nothing but the task's own head. Continues a run that was killed."""
    from bertnesia.cli.steps import Probed, show_steps, step_probe
    from bertnesia.finetuning.finetune import finetune as train_sibling
    from bertnesia.finetuning.settings import finetuning_settings

    settings = finetuning_settings(
        epochs=None if steps else epochs,
        share=share,
        matched=matched,
        held_out=held_out,
        most_held_out=most_held_out,
        answerable_only=answerable_only,
        masked=masked,
        negatives=negatives,
        candidates=candidates,
        max_tokens=max_tokens,
        stride=min(64, max_tokens // 4),
        dropout=dropout,
        schedule={
            "steps": steps or 1,
            "batch_tokens": batch_tokens,
            "learning_rate": learning_rate,
            "warmup": warmup,
            "weight_decay": weight_decay,
            "evaluations": evaluations,
            "seed": seed,
            "precision": precision,
        },
    )
    if decoders_at and not probe_at:
        raise BertnesiaError("--decoders-at needs --probe-at: name the points there, too.")
    probe = None
    if probe_at:
        probed = Probed(names(probes), probe_data, text or [], decoder_steps)
        probe = step_probe(out, base, probe_at, decoders_at, probed)
    provenance = train_sibling(objective, base, data, out, settings, probe.on_the_way if probe else None)
    _say_trained(out, provenance["history"][-1], provenance["seconds"])
    if probe:
        show_steps(probe, out.name, provenance["steps"])


@app.command("train-decoders")
def train_decoders(
    model: Annotated[str, typer.Argument(help="Model whose layers are decoded: folder or hub name.")],
    text: Annotated[list[Path], typer.Argument(help="Training text.")],
    base: Annotated[str | None, typer.Option("--base", help="Its base model, if it has no pre-trained head.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the decoders.", show_default="MODEL/decoders")
    ] = None,
    exclude: Annotated[
        str, typer.Option("--exclude", help="Probe sets whose facts the text may not mention, e.g. trex,atlas.")
    ] = "atlas",
    data: DataOption = None,
    steps: Annotated[int, typer.Option(help="Optimizer steps.", min=1)] = 500,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.", min=MIN_RATE)] = 1e-3,
    seed: Annotated[int, typer.Option(help="Seed of batches and masks.", min=0)] = 0,
) -> None:
    """Train a decoder for every layer of a model, all layers in one pass, the model frozen."""
    from bertnesia import api

    records = api.train_decoders(
        model,
        text,
        base=base,
        out=out,
        exclude=names(exclude),
        data=data,
        steps=steps,
        learning_rate=learning_rate,
        seed=seed,
    )
    table = Table("layer", "step kept", "validation loss", "accuracy", "still improving", title=f"Decoders of {model}")
    for row in records.itertuples():
        table.add_row(
            str(row.layer),
            str(row.step),
            f"{row.loss:.3f}",
            f"{row.accuracy:.1%}",
            "yes" if row.still_improving else "no",
        )
    console.print(table)


def _say_trained(out: Path, scores: dict[str, float], seconds: int) -> None:
    shown = ", ".join(f"{name} {value:.4g}" for name, value in scores.items() if name != "step")
    console.print(f"Saved {out} after {seconds} s; held out: {shown}", highlight=False, markup=False)
