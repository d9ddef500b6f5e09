"""Models beside those of a study: found, tried, and given decoders of their own."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bertnesia.corpora import read_corpus
from bertnesia.errors import BertnesiaError
from bertnesia.files import digest
from bertnesia.live.jobs import Job
from bertnesia.live.results import Checkpoint
from bertnesia.live.service import LiveModels
from bertnesia.live.shelf import kinds_of
from bertnesia.models.decoders import DecoderConfig
from bertnesia.models.encoder import load_encoder, load_masked_lm, load_tokenizer
from bertnesia.models.heads import head_weights
from bertnesia.probes.facts import Fact
from bertnesia.progress import told_to
from bertnesia.sentences import has_control_characters


@dataclass(frozen=True, slots=True)
class Added:
    """A model that was added: what to call it, where it is, how deep it is."""

    name: str
    checkpoint: Checkpoint
    layers: int

    @property
    def kinds(self) -> tuple[str, ...]:
        """The decoder kinds at hand, at least `stock`."""
        return kinds_of(self.checkpoint)


def add_model(live: LiveModels, place: str, base: str) -> Added:
    """Load a model from a folder or the hub: with its own masked-language-model head, else with that of `base`.

    Raises:
        BertnesiaError: if it cannot be loaded either way.
    """
    place = place.strip()
    if not place or has_control_characters(place):
        raise BertnesiaError("Name a model's folder or its hub name, e.g. ~/models/my-bert or bert-base-uncased.")
    folder = Path(place).expanduser()
    name = str(folder.resolve()) if folder.is_dir() else place
    decoders = None if folder.is_dir() else _cache(place)
    alone = Checkpoint(name, decoders=decoders)
    try:
        layers = _layers(live, alone)
    except BertnesiaError as error:
        lender = live.checkpoints.get(base)
        if lender is None or "head" not in str(error):
            raise
        alone = replace(alone, base=lender.folder, base_decoders=lender.decoder_folder)
        layers = _layers(live, alone)
    return Added(_free_name(live, folder.resolve().name if folder.is_dir() else place), alone, layers)


def train_for(model: Added, text: bytes, facts: Sequence[Fact], steps: int, job: "Job[DecoderConfig]") -> DecoderConfig:
    """Train decoders for every layer of an added model on a text, told to a job, and save them where it looks for them.

    Raises:
        BertnesiaError: if there are such decoders, or the text cannot be used.
    """
    # The trainer takes seconds to import, and most visitors train nothing.
    from bertnesia.models.decoder_training import DecoderTraining, train_decoders  # noqa: PLC0415

    checkpoint = model.checkpoint
    out = checkpoint.decoder_folder / "trained"
    if out.exists():
        raise BertnesiaError(f"{out} already exists: delete it to train decoders anew.")
    schedule = DecoderTraining().schedule.model_copy(update={"steps": steps})
    settings = DecoderTraining(decoder_share=0.9, validation_share=0.1, schedule=schedule)

    def tell(label: str, done: float, total: float, note: str) -> None:
        job.step(done, total, f"{label} ({note})" if note else label)

    try:
        with tempfile.TemporaryDirectory() as folder, told_to(tell):
            file = Path(folder) / "text.txt"
            file.write_bytes(text)
            job.step(0, 0, "Loading the model")
            return train_decoders(
                load_encoder(checkpoint.folder),
                load_tokenizer(checkpoint.folder),
                head_weights(load_masked_lm(checkpoint.base or checkpoint.folder)[0]),
                read_corpus([file]),
                facts,
                out,
                settings,
            )
    finally:  # a run that was cancelled is not resumed from here
        shutil.rmtree(out.with_name(f".{out.name}.training"), ignore_errors=True)


def _layers(live: LiveModels, checkpoint: Checkpoint) -> int:
    workshop = live.workshop
    return workshop.queue.submit(lambda: workshop.shelf.get(checkpoint, "stock").model.layers).result()


def _free_name(live: LiveModels, name: str) -> str:
    """The name, with a number where there is one of that name."""
    number = 2
    free = name
    while free in live.checkpoints:
        free, number = f"{name} ({number})", number + 1
    return free


def _cache(place: str) -> Path:
    """Where decoders of a hub's model are kept."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "bertnesia" / "decoders" / digest(place)[:16]
