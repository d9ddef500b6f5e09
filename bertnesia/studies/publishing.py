"""From a study's results to its database: the tables beside the ranks, gathered from provenance and probe sets."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from bertnesia import __version__
from bertnesia.errors import BertnesiaError
from bertnesia.files import replacing_folder
from bertnesia.models.checkpoints import read_provenance
from bertnesia.models.decoder_bank import still_improving
from bertnesia.models.decoder_training import TRAINED_KINDS, decoder_scores
from bertnesia.models.decoders import DecoderConfig, Decoders, LayerRecord, read_decoder_config
from bertnesia.models.encoder import encoder_hash, vocabulary_hash
from bertnesia.models.layered import LayeredModel
from bertnesia.probing.run import Asked, Parts, Pass, head_hash
from bertnesia.store.publish import SCHEMA_VERSION, publish
from bertnesia.studies.coverage import coverage_rows
from bertnesia.studies.keeping import kept_parts, kept_rows
from bertnesia.studies.models import load_model, passes
from bertnesia.studies.probetables import probe_tables
from bertnesia.studies.run import StudyRun
from bertnesia.studies.spec import ModelSpec
from bertnesia.studies.stepprobe import ProbedStep
from bertnesia.studies.steps import probed_steps

Rows = list[dict[str, Any]]


def publish_results(run: StudyRun, asked: Sequence[Asked], parts: Mapping[str, Parts], database: Path) -> None:
    """Build the study's database from the parts and everything that is known of models, decoders and facts."""
    tables: dict[str, Rows] = {"study": [_study(run)], "models": [], "decoders": [], "training": []}
    for one in asked:
        for name, rows in probe_tables(one).items():
            tables.setdefault(name, []).extend(rows)
    tables["coverage"] = coverage_rows(run, asked)
    for model in run.wanted:
        provenance = read_provenance(Path(run.checkpoint(model))) or {}
        tables["training"] += _curve(
            provenance.get("history", []), {"model": model.name, "run": "model", "layer": None, "kind": None}
        )
        works = passes(run, model)
        tables["models"].append(_model(run, model, works[0].model, provenance))
        for work in works:
            tables["decoders"] += _decoders(run, model, work)
        tables["training"] += _decoder_training(run, model)
    steps = [(model, one) for model in run.wanted for one in probed_steps(run, model)]
    tables["models"] += _steps(tables["models"], steps)
    tables["models"] += kept_rows(run, "models")
    tables["decoders"] += kept_rows(run, "decoders")
    _score_lent(run, tables["decoders"])
    tables["training"] += kept_rows(run, "training")
    tables["models"] = [*_in_order(run, tables["models"], database)]
    kept = kept_parts(run)
    predictions = [*(path for one in parts.values() for path in one.predictions), *kept.predictions]
    publish(
        database,
        {
            **{name: _table(rows) for name, rows in tables.items() if rows},
            "ranks": [
                *(path for one in parts.values() for path in one.ranks),
                *(run.work / "parts" / name for _, step in steps for name in step.ranks),
                *kept.ranks,
            ],
            **({"predictions": predictions} if predictions else {}),
        },
    )


def copy_models(run: StudyRun, folder: Path) -> None:
    """Copy the models that pages show, with the decoders that ship, to `folder`, each in one step.

    Raises:
        BertnesiaError: if a model is not one of the study's own but a checkpoint from elsewhere.
    """
    for model in shipped(run):
        source, target = run.folder(model), folder / model.name
        if not (source / "config.json").exists():
            raise BertnesiaError(f"{model.name} is a checkpoint from elsewhere: publish the study without --to.")
        if target.exists() and source.samefile(target):
            continue
        kinds = [kind for kind in run.spec.kinds(model) if kind in TRAINED_KINDS]
        decoders = {kind: run.decoders(model, kind) for kind in kinds}
        with replacing_folder(target) as partial:
            ignored = shutil.ignore_patterns(".*", "checkpoint-*", "decoders")
            shutil.copytree(source, partial, dirs_exist_ok=True, ignore=ignored)
            for kind, place in decoders.items():
                shutil.copytree(place, partial / "decoders" / kind)


def shipped(run: StudyRun) -> list[ModelSpec]:
    """The models whose weights ship: variants give ranks alone."""
    return [model for model in run.spec.models if model.role == "model"]


def _table(rows: Rows) -> pa.Table:
    return pa.Table.from_pylist(rows)


def _study(run: StudyRun) -> dict[str, Any]:
    spec = run.spec
    return {
        "name": spec.name,
        "title": spec.title,
        "description": spec.description,
        "base": spec.base.name,
        "schema_version": SCHEMA_VERSION,
        "bertnesia_version": __version__,
        "created": datetime.now(UTC).replace(tzinfo=None, microsecond=0),
        "settings": spec.model_dump_json(),
    }


def _model(run: StudyRun, model: ModelSpec, loaded: LayeredModel, provenance: Mapping[str, Any]) -> dict[str, Any]:
    config = loaded.encoder.config
    tuning = run.spec.finetuning(model)
    return {
        "model": model.name,
        "base": None if model is run.spec.base else run.spec.base.name,
        "objective": provenance.get("objective", "mlm" if model is run.spec.base else ""),
        "architecture": config.model_type,
        "layers": loaded.layers,
        "hidden_size": config.hidden_size,
        "vocabulary_size": len(loaded.tokenizer),
        "parameters": sum(parameter.numel() for parameter in loaded.encoder.parameters()),
        "encoder_hash": encoder_hash(loaded.encoder),
        "vocabulary_hash": vocabulary_hash(loaded.tokenizer),
        "role": model.role,
        "variant_of": model.variant_of,
        "seed": tuning.settings.schedule.seed if tuning else 0,
        "step": provenance.get("step"),
        "steps": provenance.get("steps"),
        "share": model.share,
        "matched": model.matched,
        "scores": json.dumps(_last_scores(provenance.get("history", []))),
    }


def _steps(models: Rows, steps: Sequence[tuple[ModelSpec, ProbedStep]]) -> Rows:
    """A row for each model on the way: as the model that the run led to, but for its weights."""
    finished = {row["model"]: row for row in models}
    return [
        {
            **finished[model.name],
            "model": step.model,
            "label": f"{model.label or model.name} at step {step.step:,}",
            "encoder_hash": step.encoder_hash,
            "role": "step",
            "variant_of": model.name,
            "training_data": model.training_data,
            "step": step.step,
            "steps": step.steps,
            "scores": "{}",
        }
        for model, step in steps
    ]


def _in_order(run: StudyRun, rows: Rows, database: Path) -> Iterator[dict[str, Any]]:
    """The rows of models as the study file orders and calls them, steps on the way behind, with where weights are."""
    found = {row["model"]: row for row in rows}
    for position, model in enumerate(run.spec.models):
        words = {"label": model.label or model.name, "training_data": model.training_data}
        yield {**found.pop(model.name), **words, **_places(run, model, database), "position": position}
    for number, row in enumerate(found.values()):
        yield {**row, "folder": "", "decoder_folder": None, "position": len(run.spec.models) + number}


def _places(run: StudyRun, model: ModelSpec, database: Path) -> dict[str, str | None]:
    """Where weights and decoders are, relative to the database; a variant's do not ship with it."""
    if model.role != "model":
        return {"folder": "", "decoder_folder": None}
    checkpoint, decoders = run.checkpoint(model), run.shown_decoders(model)
    is_local = Path(checkpoint).is_dir()
    return {
        "folder": _relative(Path(checkpoint), database.parent) if is_local else checkpoint,
        "decoder_folder": _relative(decoders, database.parent),
    }


def _last_scores(history: Rows) -> dict[str, float]:
    return {name: value for name, value in history[-1].items() if name != "step"} if history else {}


def _decoders(run: StudyRun, model: ModelSpec, work: Pass) -> Rows:
    """A row for every decoder that was asked, with what is known of its training."""
    rows: Rows = []
    for heads in work.model.decoders.values():
        known = _known(run, model, heads)
        for layer, head in zip(heads.layers, heads.heads, strict=True):
            keys = {"model": model.name, "layer": layer, "kind": heads.kind, "seed": heads.seed}
            rows.append({**keys, **_NOT_TRAINED, **known.get(layer, {}), "hash": head_hash(head)})
    return rows


_LENT = ("base", "own")
"""Kinds of decoders that were not trained on the states that they are asked with."""

_NOT_TRAINED = {"corpus": "", "steps": 0, "loss": None, "accuracy": None, "still_improving": False}


def _known(run: StudyRun, model: ModelSpec, heads: Decoders) -> dict[int, dict[str, Any]]:
    """Corpus, steps and validation scores by layer; those of the stock head are where the training from it began."""
    if heads.kind in TRAINED_KINDS:
        config = read_decoder_config(run.decoders(model, heads.kind, heads.seed))
        return {record.layer: _record(config, record) for record in config.layers}
    folder = run.decoders(model, "trained")
    if heads.kind == "stock" and (folder / "config.json").is_file():
        first = read_decoder_config(folder).history[0]
        scores = [(layer, f"loss_{layer}", f"accuracy_{layer}") for layer in heads.layers if first["step"] == 0]
        return {layer: {"loss": first[loss], "accuracy": first[accuracy]} for layer, loss, accuracy in scores}
    return {}


def _score_lent(run: StudyRun, rows: Rows) -> None:
    """Give loss and accuracy to decoders that were not trained where they are asked, if text and weights are there."""
    if not all(run.has_file(name) for name in run.spec.text) or not run.spec.text:
        return
    for model in run.spec.models:
        mine = [row for row in rows if row["model"] == model.name and row["kind"] in _LENT and row["loss"] is None]
        place = run.folder(model)
        if not mine or not (place / "config.json").is_file():
            continue
        kinds = list(dict.fromkeys(row["kind"] for row in mine))
        loaded = load_model(run, model, kinds)
        for kind in kinds:
            asked = loaded.encoder, loaded.tokenizer, loaded.of_kind(kind), run.corpus, run.spec.decoders.settings
            scores = decoder_scores(*asked)
            for row in mine:
                if row["kind"] == kind:
                    row["loss"], row["accuracy"] = scores[row["layer"]]


def _record(config: DecoderConfig, record: LayerRecord) -> dict[str, Any]:
    return {
        "corpus": ", ".join(source["name"] for source in config.corpus),
        "steps": record.step,
        "loss": record.loss,
        "accuracy": record.accuracy,
        "still_improving": _still_improving(config, record),
    }


def _still_improving(config: DecoderConfig, record: LayerRecord) -> bool:
    """What was noted when training ended; told from the losses where it was not."""
    if record.still_improving is not None:
        return record.still_improving
    return still_improving([entry[f"loss_{record.layer}"] for entry in config.history])


def _decoder_training(run: StudyRun, model: ModelSpec) -> Rows:
    """Training curves of the decoders that pages show, layer by layer."""
    rows: Rows = []
    for kind in (kind for kind in run.spec.kinds(model) if kind in TRAINED_KINDS):
        for entry in read_decoder_config(run.decoders(model, kind)).history:
            for score, value in entry.items():
                word, _, layer = score.partition("_")
                if layer:
                    keys = {"model": model.name, "run": "decoder", "layer": int(layer), "kind": kind}
                    rows.append({**keys, "step": int(entry["step"]), "score": word, "value": value})
    return rows


def _curve(history: Iterable[Mapping[str, float]], keys: Mapping[str, Any]) -> Rows:
    return [
        {**keys, "step": int(entry["step"]), "score": score, "value": value}
        for entry in history
        for score, value in entry.items()
        if score != "step"
    ]


def _relative(path: Path, start: Path) -> str:
    return Path(os.path.relpath(path.resolve(), start.resolve())).as_posix()
