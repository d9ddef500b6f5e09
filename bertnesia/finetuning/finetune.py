"""Fine-tuning a base model for a task, with as few new parameters as the task allows."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bertnesia.downloads import fetched_by
from bertnesia.errors import BertnesiaError
from bertnesia.files import sha256
from bertnesia.finetuning import tasks  # noqa: F401 - registers the objectives
from bertnesia.finetuning.batches import count_steps
from bertnesia.finetuning.objectives import Objective
from bertnesia.finetuning.registry import Prepared, find_objective
from bertnesia.finetuning.settings import Finetuning
from bertnesia.finetuning.snapshots import as_saved, keep_snapshots, step_at
from bertnesia.finetuning.trainer import Schedule, Visits, finish, train
from bertnesia.models.checkpoints import check_room, read_provenance, refuse_existing, save_model, versions
from bertnesia.models.encoder import encoder_hash, load_masked_lm, load_tokenizer, set_dropout, state_hash

__all__ = ["Finetuning", "Moment", "OnTheWay", "finetune", "finetune_partly", "finetuning_identity"]


@dataclass(frozen=True, slots=True)
class Moment:
    """A step of a run, of how many, and the model as it would be saved then: rounded to fp16, in float32 on the CPU."""

    step: int
    steps: int
    model: PreTrainedModel

    def is_at(self, share: float) -> bool:
        """Whether this is the step of that share of the run."""
        return self.step == step_at(share, self.steps)


@dataclass(frozen=True, slots=True)
class OnTheWay:
    """What is to be done with the model at some shares of a run's steps.

    A run that was killed shows again what came after its last checkpoint, so `show` should keep what it did before.
    """

    shares: tuple[float, ...]
    show: Callable[[Moment], None]


def finetune(
    objective: str,
    base: str,
    data: Sequence[Path],
    out: Path,
    settings: Finetuning,
    on_the_way: OnTheWay | None = None,
    keep: Mapping[float, Path] | None = None,
) -> dict[str, Any]:
    """Fine-tune `base` (folder or hub name) and save it to `out` in Hugging Face's format, weights in fp16.

    `on_the_way` is shown the model at some shares of the run; `keep` names a folder for the model at a share, for as
    many shares as are wanted.

    Returns the provenance, which is also saved beside the weights: the base and its encoder's hash, data with hashes,
    settings, held-out scores by step, time. A run that was killed continues where it was.

    Raises:
        BertnesiaError: if objective, base or data cannot be used, or `out` is in the way.
    """
    refuse_existing(out)
    began = time.monotonic()
    run = _start(objective, base, data, settings)
    work = out.with_name(f".{out.name}.training")
    visits = keep_snapshots(keep or {}, run.schedule.steps, run.tokenizer, run.identity)
    if on_the_way:
        visits.append(_showing(on_the_way, run.schedule.steps))
    history = train(run.model, run.task, run.schedule, work, run.identity, visits=visits)
    provenance = {
        **run.identity,
        "base_name": Path(base).name,
        "steps": run.schedule.steps,
        "training_examples": len(run.task.lengths),
        "training_tokens": sum(run.task.lengths),
        "head_parameters": _head_parameters(run.model),
        "history": history,
        "seconds": round(time.monotonic() - began),
        "versions": versions(),
    }
    finish(work, lambda: save_model(run.model, run.tokenizer, out, provenance))
    return read_provenance(out) or provenance


def finetune_partly(
    objective: str, base: str, data: Sequence[Path], settings: Finetuning, keep: Mapping[float, Path]
) -> None:
    """Begin the same run as `finetune` would, save the model at each share of it to its folder, and end there.

    Raises:
        BertnesiaError: if objective, base or data cannot be used, or a folder is in the way.
    """
    run = _start(objective, base, data, settings)
    last = max(keep)
    visits = keep_snapshots(keep, run.schedule.steps, run.tokenizer, run.identity)
    work = keep[last].with_name(f".{keep[last].name}.training")
    train(run.model, run.task, run.schedule, work, run.identity, visits=visits, until=step_at(last, run.schedule.steps))
    finish(work, lambda: None)


def finetuning_identity(objective: str, base: str, data: Sequence[Path], settings: Finetuning) -> dict[str, Any]:
    """What decides the result of `finetune`, as JSON values: equal identities mean the same training.

    The base is told by the hashes of its encoder and of its masked-language-model head, if it has one, wherever it
    lies.
    """
    model, has_head = load_masked_lm(base, allow_new_head=True)
    head = {k: v for k, v in model.state_dict().items() if not k.startswith(f"{model.base_model_prefix}.")}
    return {
        "objective": objective,
        "base": encoder_hash(model),
        "base_head": state_hash(head) if has_head else None,
        "settings": settings.model_dump(),
        "sources": [{"name": path.name, "sha256": _hash(path)} for path in data],
    }


@dataclass(frozen=True, slots=True)
class _Run:
    """Everything that training needs, and what decides its result."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    task: Objective[Any]
    schedule: Schedule
    identity: dict[str, Any]


def _start(objective: str, base: str, data: Sequence[Path], settings: Finetuning) -> _Run:
    prepare = find_objective(objective)
    identity = finetuning_identity(objective, base, data, settings)
    tokenizer = load_tokenizer(base)
    prepared = prepare(tokenizer, data, settings)
    schedule = _schedule(settings, prepared, lambda all_of_it: prepare(tokenizer, data, all_of_it))
    torch.manual_seed(settings.schedule.seed)  # the new head's weights
    model = prepared.load(base)
    check_room(model, settings.max_tokens)
    if settings.dropout is not None:
        set_dropout(model, settings.dropout)
    return _Run(model, tokenizer, prepared.objective, schedule, identity)


def _schedule(settings: Finetuning, prepared: Prepared, prepare: Callable[[Finetuning], Prepared]) -> Schedule:
    """The schedule with its steps, of a share of the data as many as its own epochs or those of all the data take."""
    schedule = settings.schedule

    def steps(of: Prepared, epochs: float) -> int:
        lengths, sequences = of.objective.lengths, schedule.batch_sequences
        return count_steps(lengths, schedule.batch_tokens, epochs, schedule.seed, sequences)

    def whole() -> Prepared:
        return prepare(settings.model_copy(update={"share": 1.0})) if settings.share < 1 else prepared

    if settings.epochs is not None:
        counted = steps(whole() if settings.matched == "steps" else prepared, settings.epochs)
    elif settings.matched == "epochs" and settings.share < 1:
        counted = max(1, round(schedule.steps * steps(prepared, 1) / steps(whole(), 1)))
    else:
        return schedule
    return schedule.model_copy(update={"steps": counted})


def _showing(on_the_way: OnTheWay, steps: int) -> Visits:
    def show(step: int, model: nn.Module) -> None:
        on_the_way.show(Moment(step, steps, as_saved(cast(PreTrainedModel, model))))

    return Visits(frozenset(step_at(share, steps) for share in on_the_way.shares), show)


def _head_parameters(model: PreTrainedModel) -> int:
    """How many parameters the model has beyond its encoder."""
    encoder = {id(parameter) for parameter in model.base_model.parameters()}
    return sum(p.numel() for p in model.parameters() if id(p) not in encoder)


def _hash(path: Path) -> str:
    try:
        return sha256(path)
    except OSError as error:
        raise BertnesiaError(f"Cannot read {path}: {error.strerror or error}.{fetched_by(path)}") from error
