"""One trainer for every objective: `transformers.Trainer`, resumable, with a bar and a history."""

# ruff: noqa: ARG002 - callbacks are handed more than they need

import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import torch
from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer
from safetensors.torch import load_model
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import (
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from bertnesia.errors import BertnesiaError
from bertnesia.files import digest, read_json, write_json
from bertnesia.finetuning.batches import StepBatches
from bertnesia.finetuning.objectives import Objective
from bertnesia.finetuning.products import products_in_bfloat16
from bertnesia.models.encoder import device
from bertnesia.progress import Advance, console, progress_bar

_COMPLETE = "complete.json"
Model = TypeVar("Model", bound=nn.Module)
Stop = Callable[[list[dict[str, float]]], bool]
"""Says from the scores so far whether to train no longer."""


def without_unused(dumped: dict[str, Any], model: type[BaseModel], *options: str) -> dict[str, Any]:
    """A dump without those of the options that have their default: adding an option then changes no older dump."""
    return {k: v for k, v in dumped.items() if k not in options or v != model.model_fields[k].default}


class Schedule(BaseModel):
    """How long and how fast to train: AdamW with linear warm-up, then linear decay or a constant rate.

    Options that are left out are left out of the dump, too: adding an option does not change what older runs were
    made with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(2000, ge=1, description="optimizer steps")
    batch_tokens: int = Field(2048, ge=16, description="padded tokens in a batch")
    learning_rate: float = Field(6e-4, gt=0)
    warmup: float = Field(0.06, ge=0, lt=1, description="share of the steps in which the learning rate rises")
    weight_decay: float = Field(0.01, ge=0)
    seed: int = Field(0, ge=0)
    evaluations: int = Field(8, ge=1, description="held-out evaluations, the last one after the last step")
    batch_sequences: int | None = Field(None, ge=1, description="sequences in a batch, instead of batch_tokens")
    warmup_steps: int | None = Field(None, ge=0, description="steps in which the rate rises, instead of warmup")
    decay: Literal["linear", "constant"] = Field("linear", description="the learning rate after warm-up")
    patience: int | None = Field(None, ge=1, description="evaluations without improvement after which to stop")
    min_delta: float = Field(0.0, ge=0, description="how much the held-out loss must fall to count as improvement")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="of matrix products in training; weights, optimizer and evaluations stay in float32"
    )

    @model_serializer(mode="wrap")
    def _without_unused_options(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        options = "batch_sequences", "warmup_steps", "decay", "patience", "min_delta", "precision"
        return without_unused(dump(self), Schedule, *options)

    def fill_up(self, value: Any) -> Any:
        """What a study file says of a schedule, with the rest as it is here."""
        return {**self.model_dump(), **value} if isinstance(value, dict) else value


@dataclass(frozen=True, slots=True)
class Visits:
    """Steps of a run after which a function is handed the step and the model, which it must leave as it is.

    Torch's random numbers are put back afterwards. A run that was killed visits again what came after its last
    checkpoint, so the function should find what it did before.
    """

    steps: frozenset[int]
    visit: Callable[[int, nn.Module], None]


def train(
    model: Model,
    objective: Objective[Model],
    schedule: Schedule,
    work: Path,
    identity: dict[str, Any],
    *,
    max_grad_norm: float = 1.0,
    stop: Stop | None = None,
    rates: Mapping[str, float] | None = None,
    visits: Sequence[Visits] = (),
    until: int | None = None,
) -> list[dict[str, float]]:
    """Train `model` in place; return the held-out scores by step, `step` among them.

    Checkpoints go to `work` and are removed at the end. A run that was killed continues from its last whole
    checkpoint; one that was started with other settings (`identity`) is refused. Training ends early after an
    evaluation at which `stop`, by default the schedule's patience with the loss, says so. `rates` has the multiple of
    the learning rate for each parameter, by name, that does not learn at the schedule's own. The run is broken off
    after step `until`, if it is given.
    """
    _claim(work, identity)
    interval = -(-schedule.steps // schedule.evaluations)
    checkpoint = _last_whole_checkpoint(work)
    if checkpoint and read_json(checkpoint / _COMPLETE).get("stopped"):
        load_model(model, checkpoint / "model.safetensors", strict=False)  # strict: tied weights are left out
        return _history(read_json(checkpoint / "trainer_state.json")["log_history"])
    arguments = TrainingArguments(
        output_dir=str(work),
        max_steps=schedule.steps,
        learning_rate=schedule.learning_rate,
        warmup_steps=int(schedule.warmup * schedule.steps) if schedule.warmup_steps is None else schedule.warmup_steps,
        lr_scheduler_type="linear" if schedule.decay == "linear" else "constant_with_warmup",
        weight_decay=schedule.weight_decay,
        max_grad_norm=max_grad_norm,
        eval_strategy="steps",
        eval_on_start=checkpoint is None,
        eval_steps=interval,
        save_steps=interval,
        save_total_limit=2,
        logging_strategy="steps",
        logging_steps=max(1, schedule.steps // 100),
        seed=schedule.seed,
        disable_tqdm=True,
        report_to="none",
        remove_unused_columns=False,
        use_cpu=device().type == "cpu",
    )
    with progress_bar(f"Training {objective.name}", schedule.steps) as advance:
        trainer = _ObjectiveTrainer(objective, schedule, model, arguments, advance, rates or {})
        stopping = _Stopping(stop or partial(_out_of_patience, schedule))
        for callback in (stopping, *(_Visit(model, one) for one in visits), _BreakOff(until or schedule.steps)):
            trainer.add_callback(callback)
        if checkpoint:
            console.print(f"Resuming from {checkpoint.name}")
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    history = _history(trainer.state.log_history)
    if until is None and not stopping.stopped and (not history or history[-1]["step"] < schedule.steps):
        history.append({"step": float(schedule.steps), **objective.evaluate(model)})
    return history


class _ObjectiveTrainer(Trainer):
    """Asks the objective for batches, loss and scores."""

    objective: Objective[Any]

    def __init__(
        self,
        objective: Objective[Any],
        schedule: Schedule,
        model: nn.Module,
        arguments: TrainingArguments,
        advance: Advance,
        rates: Mapping[str, float],
    ) -> None:
        self.objective = objective
        self.rates = rates
        self.precision = schedule.precision
        self.batches = StepBatches(
            objective, schedule.batch_tokens, schedule.steps, schedule.seed, schedule.batch_sequences
        )
        super().__init__(
            model,
            arguments,
            train_dataset=self.batches,
            eval_dataset=self.batches,  # required, though the objective brings its own held-out data
            callbacks=[_Report(advance), _MarkComplete()],
        )
        self.remove_callback(PrinterCallback)

    def get_train_dataloader(self) -> DataLoader[Any]:
        # Not batch_size=None: resuming skips batches by a batch sampler, and then there would be none.
        return DataLoader(self.batches, batch_size=1, collate_fn=_only)

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        optimizer: torch.optim.Optimizer = super().create_optimizer(model)
        own = {id(p): self.rates.get(name, 1.0) for name, p in cast(nn.Module, self.model).named_parameters()}
        groups, optimizer.param_groups = optimizer.param_groups, []
        for group in groups:
            for rate in sorted({own[id(p)] for p in group["params"]}):
                members = [p for p in group["params"] if own[id(p)] == rate]
                optimizer.add_param_group({**group, "params": members, "lr": rate * group["lr"]})
        return optimizer

    def compute_loss(self, model: nn.Module, inputs: dict[str, Tensor], *args: Any, **kwargs: Any) -> Tensor:
        # Not `model`, which is wrapped for several devices where there are several: one is used.
        mixed = self.precision == "bfloat16"
        with torch.autocast(device().type, torch.bfloat16, enabled=mixed):
            loss: Tensor = self.objective.loss(self.model, inputs)
        return loss

    def training_step(self, *args: Any, **kwargs: Any) -> Tensor:
        with products_in_bfloat16(device()) if self.precision == "bfloat16" else nullcontext():
            loss: Tensor = super().training_step(*args, **kwargs)
        return loss

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        metrics = {f"eval_{name}": value for name, value in self.objective.evaluate(self.model).items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


def _only(items: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    (item,) = items
    return item


class _Report(TrainerCallback):
    def __init__(self, advance: Advance) -> None:
        self.advance = advance
        self.started = time.monotonic()

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self.advance(state.global_step)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self.advance(1)

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        logs: dict[str, float] | None = kwargs.get("logs")
        if logs and "loss" in logs:
            self.advance(0, f"loss {float(logs['loss']):.3f}")
        elif logs and "eval_loss" in logs:
            # A score of one layer, as `loss_3`, is kept in the history only.
            shown = {k: v for k, v in _scores(logs).items() if k != "step" and not k.rpartition("_")[2].isdigit()}
            scores = ", ".join(f"{name} {value:.4g}" for name, value in shown.items())
            console.print(f"step {state.global_step}, {time.monotonic() - self.started:.0f} s: {scores}")


class _Visit(TrainerCallback):
    def __init__(self, model: nn.Module, visits: Visits) -> None:
        self.model = model
        self.visits = visits

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if state.global_step in self.visits.steps:
            with torch.random.fork_rng():
                self.visits.visit(state.global_step, self.model)


class _BreakOff(TrainerCallback):
    def __init__(self, after: int) -> None:
        self.after = after

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if state.global_step >= self.after:
            control.should_training_stop = True


class _MarkComplete(TrainerCallback):
    """A checkpoint counts only once it holds a list of its files: a kill can leave a half-written one."""

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        checkpoint = Path(str(args.output_dir), f"checkpoint-{state.global_step}")
        sizes = {file.name: file.stat().st_size for file in checkpoint.iterdir() if file.name != _COMPLETE}
        stopped = control.should_training_stop and state.global_step < args.max_steps
        write_json(checkpoint / _COMPLETE, {"step": state.global_step, "files": sizes, "stopped": stopped})


class _Stopping(TrainerCallback):
    def __init__(self, stop: Stop) -> None:
        self.stop = stop
        self.stopped = False

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if self.stop(_history(state.log_history)):
            control.should_training_stop = self.stopped = True


def _out_of_patience(schedule: Schedule, history: Sequence[dict[str, float]]) -> bool:
    best, waited = math.inf, 0
    for scores in history:
        improved = scores["loss"] < best - schedule.min_delta
        best, waited = (scores["loss"], 0) if improved else (best, waited + 1)
    return schedule.patience is not None and waited >= schedule.patience


def _history(log: list[dict[str, Any]]) -> list[dict[str, float]]:
    return [_scores(entry) for entry in log if "eval_loss" in entry]


def _scores(entry: dict[str, Any]) -> dict[str, float]:
    scores = {name.removeprefix("eval_"): float(value) for name, value in entry.items() if name.startswith("eval_")}
    return {"step": float(entry["step"]), **scores} if "step" in entry else scores


def _last_whole_checkpoint(work: Path) -> Path | None:
    checkpoints = (marker.parent for marker in work.glob(f"checkpoint-*/{_COMPLETE}"))
    return max(filter(_is_whole, checkpoints), key=lambda path: int(path.name.rsplit("-", 1)[1]), default=None)


def _is_whole(checkpoint: Path) -> bool:
    sizes: dict[str, int] = read_json(checkpoint / _COMPLETE).get("files", {})
    files = {checkpoint / name: size for name, size in sizes.items()}
    return all(file.is_file() and file.stat().st_size == size for file, size in files.items())


def _claim(work: Path, identity: dict[str, Any]) -> None:
    """Write down what this folder's run is, or check that it is the same run."""
    marker = work / "run.json"
    if marker.exists() and read_json(marker)["identity"] != digest(identity):
        raise BertnesiaError(f"{work} holds an unfinished run with other settings or data: delete it to start anew.")
    work.mkdir(parents=True, exist_ok=True)
    write_json(marker, {"identity": digest(identity), "settings": identity})


def finish(work: Path, save: Callable[[], object]) -> None:
    """Save the result, then remove the checkpoints that led to it."""
    save()
    shutil.rmtree(work, ignore_errors=True)
