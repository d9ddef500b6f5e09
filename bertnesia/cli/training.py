"""Commands that train: `pretrain`, `finetune`, `train-decoders`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bertnesia.cli.common import MIN_RATE, DataOption, app, console, names
from bertnesia.errors import BertnesiaError


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
        [fact for probe_set in read_probe_sets(names(exclude), data) for fact in probe_set.facts],
        folder,
        defaults.model_copy(update={"schedule": schedule}),
    )
    table = Table("layer", "step kept", "validation loss", "accuracy", title=f"Decoders of {model}")
    for record in config.layers:
        table.add_row(str(record.layer), str(record.step), f"{record.loss:.3f}", f"{record.accuracy:.1%}")
    console.print(table)


def _say_trained(out: Path, scores: dict[str, float], seconds: int) -> None:
    shown = ", ".join(f"{name} {value:.4g}" for name, value in scores.items() if name != "step")
    console.print(f"Saved {out} after {seconds} s; held out: {shown}", highlight=False, markup=False)
