"""Fine-tuning a base model for a task, with as few new parameters as the task allows."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from transformers import AutoModelForQuestionAnswering, PreTrainedModel, PreTrainedTokenizerBase

from bertnesia.errors import BertnesiaError
from bertnesia.files import sha256
from bertnesia.finetuning.batches import count_steps
from bertnesia.finetuning.objectives import Objective
from bertnesia.finetuning.qa import QuestionAnswering
from bertnesia.finetuning.squad import read_squad, split_by_article
from bertnesia.finetuning.trainer import Schedule, finish, train
from bertnesia.models.checkpoints import check_room, read_provenance, refuse_existing, save_model, versions
from bertnesia.models.encoder import encoder_hash, load_checkpoint, load_encoder, load_tokenizer
from bertnesia.progress import console

_PROBLEMS_SHOWN = 5
_SCHEDULE = Schedule(batch_tokens=4096, learning_rate=1e-4, warmup=0.1, evaluations=4)


class Finetuning(BaseModel):
    """Settings of a fine-tuning run; dropout stays at the base's own rates."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_tokens: int = Field(256, ge=16, description="longest training sequence, special tokens included")
    stride: int = Field(64, ge=0, description="tokens that neighbouring windows of a long text share")
    held_out: float = Field(0.15, gt=0, lt=1, description="share of the examples held out, whole articles")
    answerable_only: bool = Field(False, description="leave out questions without an answer (SQuAD 1.1's task)")
    epochs: float | None = Field(2.0, gt=0, description="passes over the data; null: schedule.steps says how long")
    schedule: Schedule = _SCHEDULE

    @field_validator("schedule", mode="before")
    @classmethod
    def _fill_up(cls, value: Any) -> Any:
        """What a study file leaves out of a schedule is as in fine-tuning, not as in pre-training."""
        return {**_SCHEDULE.model_dump(), **value} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _windows_advance(self) -> Self:
        if self.stride >= self.max_tokens // 2:
            raise ValueError("stride must be less than half of max_tokens")
        return self


Prepare = Callable[[str, PreTrainedTokenizerBase, Sequence[Path], Finetuning], tuple[PreTrainedModel, Objective[Any]]]
"""Makes the model to train and its objective from base, tokenizer, data files and settings."""


def finetune(objective: str, base: str, data: Sequence[Path], out: Path, settings: Finetuning) -> dict[str, Any]:
    """Fine-tune `base` (folder or hub name) and save it to `out` in Hugging Face's format, weights in fp16.

    Returns the provenance, which is also saved beside the weights: the base and its encoder's hash, data with hashes,
    settings, held-out scores by step, time. A run that was killed continues where it was.

    Raises:
        BertnesiaError: if objective, base or data cannot be used, or `out` is in the way.
    """
    prepare = _prepare(objective)
    refuse_existing(out)
    began = time.monotonic()
    identity = finetuning_identity(objective, base, data, settings)
    tokenizer = load_tokenizer(base)
    torch.manual_seed(settings.schedule.seed)  # the new head's weights
    model, task = prepare(base, tokenizer, data, settings)
    check_room(model, settings.max_tokens)
    schedule = _schedule(settings, task)
    work = out.with_name(f".{out.name}.training")
    history = train(model, task, schedule, work, identity)
    provenance = {
        **identity,
        "base_name": Path(base).name,
        "steps": schedule.steps,
        "training_examples": len(task.lengths),
        "training_tokens": sum(task.lengths),
        "history": history,
        "seconds": round(time.monotonic() - began),
        "versions": versions(),
    }
    finish(work, lambda: save_model(model, tokenizer, out, provenance))
    return read_provenance(out) or provenance


def finetuning_identity(objective: str, base: str, data: Sequence[Path], settings: Finetuning) -> dict[str, Any]:
    """What decides the result of `finetune`, as JSON values: equal identities mean the same training.

    The base is told by the hash of its encoder's weights, wherever it lies.
    """
    return {
        "objective": objective,
        "base": encoder_hash(load_encoder(base)),
        "settings": settings.model_dump(),
        "sources": [{"name": path.name, "sha256": _hash(path)} for path in data],
    }


def load_with_new_head(auto: Any, name: str) -> PreTrainedModel:
    """The encoder of a checkpoint under the head that an auto class puts on it, in float32.

    The head is the checkpoint's own where it has such a head, else new, drawn from torch's random numbers.

    Raises:
        BertnesiaError: if the checkpoint is not there, is not supported, or lacks or exceeds encoder weights.
    """
    model, _ = load_checkpoint(auto, name)
    return model


def _question_answering(
    base: str, tokenizer: PreTrainedTokenizerBase, data: Sequence[Path], settings: Finetuning
) -> tuple[PreTrainedModel, Objective[Any]]:
    squad = read_squad(data)
    _tell(squad.problems)
    training, held_out = (
        [question for question in side if question.answerable or not settings.answerable_only]
        for side in split_by_article(squad.questions, settings.held_out)
    )
    model = load_with_new_head(AutoModelForQuestionAnswering, base)
    task = QuestionAnswering(tokenizer, training, held_out, max_tokens=settings.max_tokens, stride=settings.stride)
    return model, task


OBJECTIVES: dict[str, Prepare] = {"qa": _question_answering}
"""The objectives by name."""


def _prepare(objective: str) -> Prepare:
    if objective not in OBJECTIVES:
        raise BertnesiaError(f"There is no objective {objective!r}; there are: {', '.join(OBJECTIVES)}.")
    return OBJECTIVES[objective]


def _schedule(settings: Finetuning, task: Objective[Any]) -> Schedule:
    schedule = settings.schedule
    if settings.epochs is None:
        return schedule
    steps = count_steps(task.lengths, schedule.batch_tokens, settings.epochs, schedule.seed)
    return schedule.model_copy(update={"steps": steps})


def _hash(path: Path) -> str:
    try:
        return sha256(path)
    except OSError as error:
        raise BertnesiaError(f"Cannot read {path}: {error.strerror or error}.") from error


def _tell(problems: Sequence[str]) -> None:
    for problem in problems[:_PROBLEMS_SHOWN]:
        console.print(problem, markup=False)
    if len(problems) > _PROBLEMS_SHOWN:
        console.print(f"and {len(problems) - _PROBLEMS_SHOWN} more problems like these")
