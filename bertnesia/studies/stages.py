"""Running a study: models, decoders, probing, publishing; what is done already is kept."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.finetune import finetune, finetune_partly, finetuning_identity
from bertnesia.finetuning.snapshots import snapshot_identity
from bertnesia.models.checkpoints import made_with
from bertnesia.models.decoder_training import decoder_identity, train_decoders, train_last_layer_seeds
from bertnesia.models.decoders import decoder_name, read_decoder_config
from bertnesia.models.encoder import load_encoder, load_masked_lm, load_tokenizer, random_encoder
from bertnesia.models.heads import head_weights
from bertnesia.models.weights import HeadWeights
from bertnesia.pretraining import pretrain, pretraining_identity
from bertnesia.probing.run import Asked, Parts, ask, run_pass, sampled
from bertnesia.progress import console, working
from bertnesia.studies.fetching import fetch_missing
from bertnesia.studies.models import CONTROL, load_model, passes
from bertnesia.studies.publishing import copy_models, publish_results
from bertnesia.studies.run import StudyRun
from bertnesia.studies.spec import FinetuneSpec, ModelSpec, PretrainSpec
from bertnesia.studies.steps import on_the_way, steps_are_probed


def run_study(run: StudyRun, to: Path | None = None) -> Path:
    """Perform all stages of a study that are not done yet and publish it; returns the database's path.

    With `to`, the database goes there, beside a copy of the models and decoders that ship.

    Raises:
        BertnesiaError: if data is missing or something in the way was made with other settings.
    """
    began = time.monotonic()
    prepare(run)
    make_all(run)
    database = publish_study(run, to)
    console.print(f"Published {database} after {time.monotonic() - began:.0f} s.", markup=False)
    return database


def publish_study(run: StudyRun, to: Path | None = None) -> Path:
    """Probe what has not been probed and build the database from the results; returns its path.

    Raises:
        BertnesiaError: if a model or decoder is missing or damaged.
    """
    asked, parts = probe_models(run)
    database = run.database
    with working("Publishing"):
        if to:
            copy_models(run, to / "models")
            run, database = replace(run, models=to / "models"), to / database.name
        publish_results(run, asked, parts, database)
    return database


def prepare(run: StudyRun) -> None:
    """Fetch what can be fetched and read everything that a later stage needs.

    What is missing is told before hours of training.
    """
    fetch_missing(run)
    _ = run.probe_sets
    if run.train:
        for name in run.files_to_train():
            run.file(name)
        if any(model.pretrain and not run.local(model) for model in run.wanted) or run.decoders_wanted():
            _ = run.corpus
        if run.decoders_wanted():
            _ = run.facts_left_out


def make_all(run: StudyRun) -> None:
    """Train the models and decoders that are not there yet."""
    if not run.train:
        return
    base = [model for model in run.wanted if model is run.spec.base]
    others = [model for model in run.wanted if model is not run.spec.base]
    for models in (base, others):  # the base's decoders before its siblings, which may be asked with them on the way
        for model in models:
            make_model(run, model)
        for model in models:
            make_decoders(run, model)


def make_model(run: StudyRun, model: ModelSpec) -> None:
    """Train a model, or say that it is there."""
    if run.local(model):
        console.print(f"{model.name}: taken from {run.local(model)}.", highlight=False, markup=False)
    elif model.pretrain:
        _pretrain(run, model.pretrain, model)
    elif model.role == "step":
        _step(run, model)
    elif tuning := run.spec.finetuning(model):
        _finetune(run, tuning, model)


def make_decoders(run: StudyRun, model: ModelSpec) -> None:
    """Train a model's decoders, or say that they are there. Those beside a local copy are taken as they are."""
    wanted = [(kind, seed) for kind, seed in run.whole_decoders(model) if run.is_made_here(model, kind, seed)]
    last = [seed for seed in run.last_layer_seeds(model) if run.is_made_here(model, "trained", seed)]
    if not wanted and not last:
        return
    maker = _DecoderMaker(run, model)
    for kind, seed in wanted:
        maker.make(kind, seed)
    if last:
        maker.make_last_layer(last)


class _DecoderMaker:
    """Trains decoders of one model, which is loaded once."""

    def __init__(self, run: StudyRun, model: ModelSpec) -> None:
        self.run = run
        self.model = model
        self.checkpoint = run.checkpoint(model)
        self.encoder, self.tokenizer = load_encoder(self.checkpoint), load_tokenizer(self.checkpoint)
        self.stock = head_weights(load_masked_lm(run.checkpoint(run.spec.base))[0])
        self.settings = run.spec.decoders.settings

    def make(self, kind: str, seed: int) -> None:
        out = self.run.decoders(self.model, kind, seed)
        encoder = random_encoder(self.encoder.config, seed) if kind == CONTROL else self.encoder
        start = self._own_head() if kind == "full" else None
        material = self.run.corpus, self.run.facts_left_out
        identity = decoder_identity(encoder, self.tokenizer, self.stock, *material, self.settings, kind, seed, start)
        if not self._is_there(out, identity):
            console.print(f"Decoders {out.name} of {self.model.name}", highlight=False, markup=False)
            train_decoders(encoder, self.tokenizer, self.stock, *material, out, self.settings, kind, seed, start)

    def make_last_layer(self, seeds: list[int]) -> None:
        folder = self.run.made(self.model) / "decoders"
        material = self.run.corpus, self.run.facts_left_out
        identity = decoder_identity(self.encoder, self.tokenizer, self.stock, *material, self.settings)
        there = [self._is_there(folder / decoder_name("trained", s), {**identity, "seed": s}) for s in seeds]
        if not all(there):
            train_last_layer_seeds(self.encoder, self.tokenizer, self.stock, *material, folder, self.settings, seeds)

    def _own_head(self) -> HeadWeights | None:
        masked_lm, has_head = load_masked_lm(self.checkpoint, allow_new_head=True)
        return head_weights(masked_lm) if has_head and self.model is not self.run.spec.base else None

    def _is_there(self, out: Path, identity: dict[str, Any]) -> bool:
        if not (out / "config.json").exists():
            return False
        if read_decoder_config(out).identity() != identity:
            raise _in_the_way(out)
        console.print(f"Decoders {out.name} of {self.model.name}: already trained.", highlight=False, markup=False)
        return True


def probe_models(run: StudyRun) -> tuple[list[Asked], dict[str, Parts]]:
    """Ask every model every eligible fact; returns what was asked and each model's parts."""
    parts: dict[str, Parts] = {}
    with working("Writing the prompts"):
        asked = ask(run.probe_sets, load_model(run, run.spec.base, ["stock"]), run.spec.variants, run.spec.sample)
    for model in run.wanted:
        told = sampled(asked, run.spec.sample) if run.spec.is_sampled(model) else asked
        for work in passes(run, model):
            parts[model.name] = parts.get(model.name, Parts((), ())) + run_pass(work, told, run.work / "parts")
    return asked, parts


def _pretrain(run: StudyRun, spec: PretrainSpec, model: ModelSpec) -> None:
    out = run.made(model)
    if not _is_there(out, pretraining_identity(run.corpus, spec.settings, spec.start)):
        pretrain(run.corpus, out, spec.settings, spec.start, _points(run, model))


def _finetune(run: StudyRun, spec: FinetuneSpec, model: ModelSpec) -> None:
    base, out = run.checkpoint(run.spec.base), run.made(model)
    data = [run.file(name) for name in spec.data]
    if not _is_there(out, finetuning_identity(spec.objective, base, data, spec.settings)):
        finetune(spec.objective, base, data, out, spec.settings, on_the_way(run, spec, model), _points(run, model))
    elif spec.probe_at and not steps_are_probed(run, spec, model):
        raise BertnesiaError(
            f"{model.name} is trained already, but was not probed at the points of probe_at: delete {out} to do both."
        )


def _step(run: StudyRun, model: ModelSpec) -> None:
    """A model on its way, which its training keeps; a fine-tuning that was done without is begun again."""
    original = run.spec.original(model)
    if not original.finetune:
        if not run.made(model).exists():
            raise _not_kept(run, original, model)
        return
    assert model.at is not None, "validated"  # noqa: S101
    spec, base = original.finetune, run.checkpoint(run.spec.base)
    data = [run.file(name) for name in spec.data]
    identity = finetuning_identity(spec.objective, base, data, spec.settings)
    if not _is_there(run.made(model), snapshot_identity(identity, model.at)):
        missing = {at: place for at, place in _points(run, original).items() if not place.exists()}
        finetune_partly(spec.objective, base, data, spec.settings, missing)


def _points(run: StudyRun, model: ModelSpec) -> dict[float, Path]:
    """Where a model is kept on its way, by the share of its training: at the points that are wanted."""
    return {at: run.made(step) for at, step in run.spec.kept(model).items() if step in run.wanted}


def _is_there(out: Path, identity: dict[str, Any]) -> bool:
    if not out.exists():
        return False
    if not made_with(out, identity):
        raise _in_the_way(out)
    console.print(f"{out.name}: already trained.", highlight=False, markup=False)
    return True


def _not_kept(run: StudyRun, base: ModelSpec, model: ModelSpec) -> BertnesiaError:
    return BertnesiaError(
        f"{base.name} is trained already, but was not kept at {model.at:.0%} of its training: "
        f"delete {run.folder(base)} to train it again."
    )


def _in_the_way(out: Path) -> BertnesiaError:
    return BertnesiaError(f"{out} was made with other settings or data: delete it, or choose another --work folder.")
