"""What `finetune --probe-at` adds: probing a run on its way, and the table of what was found."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.table import Table

from bertnesia.cli.common import console
from bertnesia.corpora import read_corpus
from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.finetune import OnTheWay
from bertnesia.finetuning.snapshots import read_shares
from bertnesia.models.decoder_training import DecoderTraining
from bertnesia.models.layered import load_layered
from bertnesia.probes import read_probe_sets
from bertnesia.probing.run import Asked, ask
from bertnesia.studies.stepprobe import TrainDecoders, new_decoders, precision_by_step, probe_on_the_way, read_steps


@dataclass(frozen=True, slots=True)
class StepProbe:
    """The probing of a run, what it asks, and the folder where its results go."""

    on_the_way: OnTheWay
    asked: list[Asked]
    folder: Path


@dataclass(frozen=True, slots=True)
class Probed:
    """What is asked, and the text and number of steps that new decoders are trained with."""

    probes: Sequence[str]
    data: Path | None
    text: Sequence[Path]
    decoder_steps: int


def step_probe(out: Path, base: str, probe_at: str, decoders_at: str, probed: Probed) -> StepProbe:
    """Probing with the base's trained decoders, or with its head at every layer where it has none.

    Raises:
        BertnesiaError: if a point, probe set, text or decoder cannot be used.
    """
    shares, train_at = read_shares(probe_at), read_shares(decoders_at)
    if train_at and not probed.text:
        raise BertnesiaError("Decoders are trained on text: name its files with --text.")
    has_trained = (Path(base) / "decoders" / "trained" / "config.json").exists()
    model = load_layered(base, None, ["trained"] if has_trained else ["stock"])
    decoders = {"base": replace(model.of_kind("trained"), kind="base")} if has_trained else dict(model.decoders)
    folder = out.with_name(f"{out.name}.steps")
    probe_sets = read_probe_sets(probed.probes, probed.data)
    asked = ask(probe_sets, model)
    train: TrainDecoders | None = None
    if train_at:
        facts = [fact for probe_set in probe_sets for fact in probe_set.facts]
        settings = DecoderTraining()
        schedule = settings.schedule.model_copy(update={"steps": probed.decoder_steps})
        settings = settings.model_copy(update={"schedule": schedule})
        train = new_decoders(model, read_corpus(probed.text), facts, folder / "decoders", settings)
    on_the_way = probe_on_the_way(out.name, model, decoders, asked, folder, shares, train_at=train_at, train=train)
    return StepProbe(on_the_way, asked, folder)


def show_steps(probe: StepProbe, sibling: str, steps: int) -> None:
    """A table for each probe set and decoder kind: P@1 by step and layer of a run of so many steps."""
    records = read_steps(probe.folder, sibling, steps, probe.on_the_way.shares)
    found = precision_by_step(probe.folder, records, probe.asked)
    for (probe_set, kind), rows in found.groupby(["probe_set", "kind"], sort=False):
        values = rows.pivot_table(index="step", columns="layer", values="value")
        table = Table("step", *(f"layer {layer}" for layer in values.columns), title=f"P@1 on {probe_set}, {kind}")
        for step, row in values.iterrows():
            table.add_row(str(step), *(f"{value:.1%}" for value in row))
        console.print(table)
    console.print(f"Ranks of every step are in {probe.folder}", highlight=False, markup=False)
