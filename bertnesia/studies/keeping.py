"""Results kept from an earlier publication of a study, so that it can grow without making again what does not ship.

The weights of controls, of other seeds and of steps on the way do not ship; their ranks do.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pydantic import ValidationError

from bertnesia.errors import BertnesiaError
from bertnesia.models.encoder import encoder_hash, load_encoder
from bertnesia.probing.run import Parts
from bertnesia.progress import console
from bertnesia.store.parts import write_part
from bertnesia.store.stored import Table, stored_probe_sets, stored_rows
from bertnesia.store.study import Study, open_study
from bertnesia.studies.run import Kept, StudyRun
from bertnesia.studies.spec import ModelSpec, StudySpec


def keep_results(run: StudyRun, database: Path) -> StudyRun:
    """The run, with everything kept that `database` holds and that would come out the same.

    That is the case of a model if the study file says the same of it, the base, their decoders, the text and the
    prompts as when the database was published, the probe files are the same, and the weights of the base (and the
    model's own, if they ship) are those that were asked.

    Raises:
        BertnesiaError: if the database cannot be opened or was published from a study file of another form.
    """
    study = open_study(database)
    try:
        before = replace(run, spec=StudySpec.model_validate_json(study.settings))
    except ValidationError as error:
        raise BertnesiaError(f"Nothing can be kept of {database}: its study file was of another form.") from error
    rows = study.models().set_index("model")
    kept: frozenset[str] = frozenset()
    if _same_facts(run, study) and _same_weights(run, run.spec.base, rows):
        kept = frozenset(model.name for model in run.spec.models if _same_model(run, before, model, rows))
    steps = rows.index[(rows["role"] == "step") & rows["variant_of"].isin(kept)]
    named = {model.name for model in run.spec.models}
    told = ", ".join(model.name for model in run.spec.models if model.name in kept) or "nothing"
    console.print(f"Kept from {database}: {told}.", highlight=False, markup=False)
    return replace(run, kept=Kept(study, kept, tuple(step for step in steps if step not in named)))


def _same_facts(run: StudyRun, study: Study) -> bool:
    stored = {row["probe_set"]: json.loads(row["files"]) for row in stored_probe_sets(study).to_dict("records")}
    return stored == {probe_set.name: probe_set.hashes for probe_set in run.probe_sets}


def _same_model(run: StudyRun, before: StudyRun, model: ModelSpec, rows: pd.DataFrame) -> bool:
    old = next((other for other in before.spec.models if other.name == model.name), None)
    if old is None or model.name not in rows.index or _recipe(run, model) != _recipe(before, old):
        return False
    return model.role != "model" or _same_weights(run, model, rows)


def _same_weights(run: StudyRun, model: ModelSpec, rows: pd.DataFrame) -> bool:
    place = Path(run.checkpoint(model))
    if model.name not in rows.index or not (place / "config.json").is_file():
        return False
    return bool(encoder_hash(load_encoder(str(place))) == rows.loc[model.name, "encoder_hash"])


def _recipe(run: StudyRun, model: ModelSpec) -> tuple[Any, ...]:
    """Everything that a study file says and on which a model's results depend."""
    spec = run.spec
    origin = spec.base.pretrain, spec.base.checkpoint, spec.finetuning(model) or spec.run_of(model)
    decoders = spec.kinds(model), run.decoders_of(model), spec.decoders.exclude, spec.decoders.settings
    return (
        model.model_copy(update={"label": "", "training_data": ""}),
        origin,
        decoders,
        spec.text,
        spec.variants,
        spec.sample,
        spec.decoders.priors,
        spec.decoders.predictions,
    )


def kept_rows(run: StudyRun, table: Table) -> list[dict[str, Any]]:
    """The rows of a table that are kept."""
    found = _kept(run, table)
    rows = found.astype(object).where(found.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def kept_parts(run: StudyRun) -> Parts:
    """Ranks and predictions that are kept, as parts among those of the run."""
    if run.kept is None or not run.kept.models:
        return Parts((), ())
    return Parts(_kept_part(run, "ranks"), _kept_part(run, "predictions"))


def _kept_part(run: StudyRun, table: Table) -> tuple[Path, ...]:
    rows = _kept(run, table)
    path = run.work / "parts" / f"{table}.kept.parquet"
    if rows.empty:
        return ()
    write_part(path, pa.Table.from_pandas(rows, preserve_index=False), {"kept": sorted(set(rows["model"]))})
    return (path,)


def _kept(run: StudyRun, table: Table) -> pd.DataFrame:
    if run.kept is None:
        return pd.DataFrame()
    return stored_rows(run.kept.study, table, [*sorted(run.kept.models), *run.kept.steps])
