"""Running a study: models, decoders, probing, publishing; what is done already is kept."""

import time
from pathlib import Path
from typing import Any

from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.finetune import finetune, finetuning_identity
from bertnesia.models.checkpoints import made_with
from bertnesia.models.decoder_training import decoder_identity, train_decoders
from bertnesia.models.decoders import read_decoder_config
from bertnesia.models.encoder import load_encoder, load_masked_lm, load_tokenizer
from bertnesia.models.heads import head_weights
from bertnesia.pretraining import pretrain, pretraining_identity
from bertnesia.probing.run import Asked, Parts, ask, probe_to_parts
from bertnesia.progress import console, working
from bertnesia.publishing import publish_results
from bertnesia.studyfile import FinetuneSpec, ModelSpec, PretrainSpec
from bertnesia.studyrun import StudyRun


def run_study(run: StudyRun) -> Path:
    """Perform all stages of a study that are not done yet and publish it; returns the database's path.

    Raises:
        BertnesiaError: if data is missing or something in the way was made with other settings.
    """
    began = time.monotonic()
    _check_data(run)
    if run.models is None:
        for model in run.spec.models:
            make_model(run, model)
        if "trained" in run.spec.decoders.kinds:
            for model in run.spec.models:
                make_decoders(run, model)
    asked, parts = probe_models(run)
    with working("Publishing"):
        publish_results(run, asked, parts, run.database)
    console.print(f"Published {run.database} after {time.monotonic() - began:.0f} s.", markup=False)
    return run.database


def _check_data(run: StudyRun) -> None:
    """Read everything that a later stage needs, so that a missing file is told before hours of training."""
    _ = run.probe_sets
    if run.models is None:
        for model in run.spec.models:
            for name in model.finetune.data if model.finetune else ():
                run.file(name)
        if any(model.pretrain for model in run.spec.models) or "trained" in run.spec.decoders.kinds:
            _ = run.corpus
        if "trained" in run.spec.decoders.kinds:
            _ = run.facts_left_out


def make_model(run: StudyRun, model: ModelSpec) -> None:
    """Train a model, or say that it is there."""
    out = run.folder(model)
    if model.pretrain:
        _pretrain(run, model.pretrain, out)
    elif model.finetune:
        _finetune(run, model.finetune, out)


def make_decoders(run: StudyRun, model: ModelSpec) -> None:
    """Train a model's decoders, or say that they are there."""
    base = run.checkpoint(run.spec.base)
    checkpoint = run.checkpoint(model)
    out = run.folder(model) / "decoders" / "trained"
    encoder, tokenizer = load_encoder(checkpoint), load_tokenizer(checkpoint)
    stock = head_weights(load_masked_lm(base)[0])
    settings = run.spec.decoders.settings
    if (out / "config.json").exists():
        identity = decoder_identity(encoder, tokenizer, stock, run.corpus, run.facts_left_out, settings)
        if read_decoder_config(out).identity() == identity:
            console.print(f"Decoders of {model.name}: already trained.", highlight=False, markup=False)
            return
        raise _in_the_way(out)
    train_decoders(encoder, tokenizer, stock, run.corpus, run.facts_left_out, out, settings)


def probe_models(run: StudyRun) -> tuple[list[Asked], dict[str, Parts]]:
    """Ask every model every eligible fact; returns what was asked and each model's parts."""
    parts: dict[str, Parts] = {}
    asked: list[Asked] = []
    for model in run.spec.models:
        loaded = run.load(model)
        if not asked:
            with working("Writing the prompts"):
                asked = ask(run.probe_sets, loaded)
        parts[model.name] = probe_to_parts(model.name, loaded, asked, run.work / "parts")
    return asked, parts


def _pretrain(run: StudyRun, spec: PretrainSpec, out: Path) -> None:
    if not _is_there(out, pretraining_identity(run.corpus, spec.settings, spec.start)):
        pretrain(run.corpus, out, spec.settings, spec.start)


def _finetune(run: StudyRun, spec: FinetuneSpec, out: Path) -> None:
    base = run.checkpoint(run.spec.base)
    data = [run.file(name) for name in spec.data]
    if not _is_there(out, finetuning_identity(spec.objective, base, data, spec.settings)):
        finetune(spec.objective, base, data, out, spec.settings)


def _is_there(out: Path, identity: dict[str, Any]) -> bool:
    if not out.exists():
        return False
    if not made_with(out, identity):
        raise _in_the_way(out)
    console.print(f"{out.name}: already trained.", highlight=False, markup=False)
    return True


def _in_the_way(out: Path) -> BertnesiaError:
    return BertnesiaError(f"{out} was made with other settings or data: delete it, or choose another --work folder.")
