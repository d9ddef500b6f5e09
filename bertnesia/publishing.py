"""From a study's results to its database: the tables beside the ranks, gathered from provenance and probe sets."""

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from bertnesia import __version__
from bertnesia.errors import BertnesiaError
from bertnesia.files import replacing_folder
from bertnesia.models.checkpoints import read_provenance
from bertnesia.models.decoders import read_decoder_config
from bertnesia.models.encoder import encoder_hash, vocabulary_hash
from bertnesia.models.layered import LayeredModel
from bertnesia.probes.facts import prompt_of
from bertnesia.probing.run import Asked, Parts, head_hash
from bertnesia.store.publish import SCHEMA_VERSION, publish
from bertnesia.studyfile import ModelSpec
from bertnesia.studyrun import StudyRun

Rows = list[dict[str, Any]]


def publish_results(run: StudyRun, asked: Sequence[Asked], parts: Mapping[str, Parts], database: Path) -> None:
    """Build the study's database from the parts and everything that is known of models, decoders and facts."""
    tables: dict[str, Rows] = {"study": [_study(run)], "models": [], "decoders": [], "training": []}
    tables["relations"] = [row for one in asked for row in _relations(one)]
    tables["facts"] = [row for one in asked for row in _facts(one)]
    for position, model in enumerate(run.spec.models):
        folder = run.folder(model)
        loaded = run.load(model)
        provenance = read_provenance(Path(run.checkpoint(model))) or {}
        tables["models"].append(_model(run, model, loaded, provenance, position, database))
        tables["decoders"] += _decoders(model.name, folder / "decoders", loaded)
        tables["training"] += _training(model.name, folder, provenance)
    publish(
        database,
        {
            **{name: _table(rows) for name, rows in tables.items() if rows},
            "ranks": [path for one in parts.values() for path in one.ranks],
            "predictions": [path for one in parts.values() for path in one.predictions],
        },
    )


def copy_models(run: StudyRun, folder: Path) -> None:
    """Copy the study's models and their decoders to `folder`, each in one step.

    Raises:
        BertnesiaError: if a model is not one of the study's own but a checkpoint from elsewhere.
    """
    for model in run.spec.models:
        if not (run.folder(model) / "config.json").exists():
            raise BertnesiaError(f"{model.name} is a checkpoint from elsewhere: publish the study without --to.")
        with replacing_folder(folder / model.name) as partial:
            shutil.copytree(
                run.folder(model), partial, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*", "checkpoint-*")
            )


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


def _model(
    run: StudyRun,
    model: ModelSpec,
    loaded: LayeredModel,
    provenance: Mapping[str, Any],
    position: int,
    database: Path,
) -> dict[str, Any]:
    config = loaded.encoder.config
    history: Rows = provenance.get("history", [])
    scores = {name: value for name, value in history[-1].items() if name != "step"} if history else {}
    checkpoint = run.checkpoint(model)
    is_local = Path(checkpoint).is_dir()
    return {
        "model": model.name,
        "label": model.label or model.name,
        "base": None if model is run.spec.base else run.spec.base.name,
        "objective": provenance.get("objective", "mlm" if model is run.spec.base else ""),
        "training_data": model.training_data,
        "architecture": config.model_type,
        "layers": loaded.layers,
        "hidden_size": config.hidden_size,
        "vocabulary_size": len(loaded.tokenizer),
        "parameters": sum(parameter.numel() for parameter in loaded.encoder.parameters()),
        "encoder_hash": encoder_hash(loaded.encoder),
        "vocabulary_hash": vocabulary_hash(loaded.tokenizer),
        "folder": _relative(Path(checkpoint), database.parent) if is_local else checkpoint,
        "decoder_folder": _relative(run.folder(model) / "decoders", database.parent),
        "scores": json.dumps(scores),
        "position": position,
    }


def _decoders(name: str, folder: Path, loaded: LayeredModel) -> Rows:
    rows: Rows = []
    trained = read_decoder_config(folder / "trained") if "trained" in loaded.decoders else None
    for kind, decoders in loaded.decoders.items():
        for i, head in enumerate(decoders.heads):
            row: dict[str, Any] = {"model": name, "layer": i + 1, "kind": kind, "corpus": "", "steps": 0}
            if kind == "trained" and trained:
                record = trained.layers[i]
                corpus = ", ".join(source["name"] for source in trained.corpus)
                row |= {"corpus": corpus, "steps": record.step, "loss": record.loss, "accuracy": record.accuracy}
            elif trained and trained.history[0]["step"] == 0:  # training starts from the stock head
                first = trained.history[0]
                row |= {"loss": first[f"loss_{i + 1}"], "accuracy": first[f"accuracy_{i + 1}"]}
            rows.append({"loss": None, "accuracy": None, **row, "hash": head_hash(head)})
    return rows


def _training(name: str, folder: Path, provenance: Mapping[str, Any]) -> Rows:
    rows = _curve(provenance.get("history", []), {"model": name, "run": "model", "layer": None, "kind": None})
    if (folder / "decoders" / "trained" / "config.json").exists():
        for entry in read_decoder_config(folder / "decoders" / "trained").history:
            for score, value in entry.items():
                word, _, layer = score.partition("_")
                if layer:
                    keys = {"model": name, "run": "decoder", "layer": int(layer), "kind": "trained"}
                    rows.append({**keys, "step": int(entry["step"]), "score": word, "value": value})
    return rows


def _curve(history: Iterable[Mapping[str, float]], keys: Mapping[str, Any]) -> Rows:
    return [
        {**keys, "step": int(entry["step"]), "score": score, "value": value}
        for entry in history
        for score, value in entry.items()
        if score != "step"
    ]


def _relations(asked: Asked) -> Rows:
    return [
        {
            "probe_set": relation.probe_set,
            "relation": relation.id,
            "label": relation.label,
            "description": relation.description,
            "template": relation.template,
            "type": relation.type,
            "source": relation.source,
        }
        for relation in asked.probe_set.relations
    ]


def _facts(asked: Asked) -> Rows:
    reasons = {one.fact: one.reason for one in asked.ineligible}
    return [
        {
            "fact": fact.id,
            "probe_set": fact.probe_set,
            "relation": fact.relation,
            "subject": fact.subject,
            "object": fact.object,
            "prompt": prompt_of(fact, asked.probe_set.relation[fact.relation]),
            "eligible": fact.id not in reasons,
            "reason": reasons.get(fact.id, ""),
        }
        for fact in asked.probe_set.facts
    ]


def _relative(path: Path, start: Path) -> str:
    return Path(os.path.relpath(path.resolve(), start.resolve())).as_posix()
