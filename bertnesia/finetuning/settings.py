"""What can be set about a fine-tuning run."""

from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.trainer import Schedule, without_unused

_SCHEDULE = Schedule(batch_tokens=4096, learning_rate=1e-4, warmup=0.1, evaluations=4)


class Finetuning(BaseModel):
    """Settings of a fine-tuning run.

    Held out are whole articles, documents or groups of sentences. The default share of them is what a base keeps for
    decoders and validation, so that further training on the base's own text takes what the base was trained on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_tokens: int = Field(256, ge=16, description="longest training sequence, special tokens included")
    stride: int = Field(64, ge=0, description="qa: tokens that neighbouring windows of a long text share")
    held_out: float = Field(0.15, gt=0, lt=1, description="share of the examples held out, whole articles")
    most_held_out: int | None = Field(None, ge=1, description="most held-out examples to score; null: the objective's")
    share: float = Field(1.0, gt=0, le=1, description="share of the training paragraphs; smaller ones are in larger")
    matched: Literal["epochs", "steps"] = Field("epochs", description="what a share has in common with all the data")
    answerable_only: bool = Field(False, description="SQuAD: leave out questions without an answer (1.1's task)")
    masked: float = Field(0.15, gt=0, lt=1, description="mlm: share of tokens hidden in training")
    negatives: int = Field(1, ge=1, description="ranking: wrong passages to each question in training")
    candidates: int = Field(
        20, ge=2, description="ranking: passages to each held-out question, the right one among them"
    )
    epochs: float | None = Field(
        2.0, gt=0, description="passes over the data; without it schedule.steps, where it is given, says how long"
    )
    dropout: float | None = Field(
        None, ge=0, lt=1, description="while training, instead of the base's own rates; the saved model keeps those"
    )
    schedule: Schedule = _SCHEDULE

    @model_serializer(mode="wrap")
    def _without_unused_options(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return without_unused(dump(self), Finetuning, "dropout")

    @field_validator("schedule", mode="before")
    @classmethod
    def _fill_up(cls, value: Any) -> Any:
        """What a study file leaves out of a schedule is as in fine-tuning, not as in pre-training."""
        return _SCHEDULE.fill_up(value)

    @model_validator(mode="before")
    @classmethod
    def _steps_instead_of_epochs(cls, values: Any) -> Any:
        """A study file has no null to say that steps count."""
        schedule = values.get("schedule") if isinstance(values, dict) else None
        counts_steps = isinstance(schedule, dict) and "steps" in schedule and "epochs" not in values
        return {**values, "epochs": None} if counts_steps else values

    @model_validator(mode="after")
    def _windows_advance(self) -> Self:
        if self.stride >= self.max_tokens // 2:
            raise ValueError("stride must be less than half of max_tokens")
        return self


def finetuning_settings(**values: Any) -> Finetuning:
    """Settings from values that a user gave.

    Raises:
        BertnesiaError: naming the value at fault.
    """
    try:
        return Finetuning.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "fine-tuning"
        raise BertnesiaError(f"{place}: {first['msg'].removeprefix('Value error, ')}.") from error
