"""The TOML file that describes a study."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.finetune import Finetuning
from bertnesia.models.decoder_training import DecoderTraining
from bertnesia.pretraining import Pretraining

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
"""Names of studies and models: they become names of files and folders."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PretrainSpec(_Table):
    """A base model to train: where its body comes from, and how it is trained."""

    start: str | None = Field(None, description="encoder to start from: folder, hub name or package:MODULE/FOLDER")
    settings: Pretraining = Pretraining()


class FinetuneSpec(_Table):
    """A sibling to fine-tune: its objective and data files, relative to the data folder."""

    objective: str
    data: list[str] = Field(min_length=1)
    settings: Finetuning = Finetuning()


class ModelSpec(_Table):
    """One model; exactly one of `pretrain`, `finetune` and `checkpoint` (a folder or hub name) is its origin."""

    name: str = Field(pattern=NAME)
    label: str = ""
    training_data: str = ""
    pretrain: PretrainSpec | None = None
    finetune: FinetuneSpec | None = None
    checkpoint: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> "ModelSpec":
        if sum(origin is not None for origin in (self.pretrain, self.finetune, self.checkpoint)) != 1:
            raise ValueError(f"model {self.name!r} needs exactly one of pretrain, finetune and checkpoint")
        return self


class DecoderSpec(_Table):
    """Which decoders to make. Their training text leaves out the facts of the study's probe sets and of `exclude`."""

    kinds: list[Literal["trained", "stock"]] = Field(["trained", "stock"], min_length=1)
    exclude: list[str] = []
    settings: DecoderTraining = DecoderTraining()


class StudySpec(_Table):
    """A study: the base is the first model; text files are relative to the data folder."""

    name: str = Field(pattern=NAME)
    title: str
    description: str = ""
    probes: list[str] = Field(min_length=1)
    text: list[str] = []
    models: list[ModelSpec] = Field(min_length=1)
    decoders: DecoderSpec = DecoderSpec()

    @model_validator(mode="after")
    def _consistent(self) -> "StudySpec":
        names = [model.name for model in self.models]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two models are called {min(twice)!r}")
        if self.base.finetune:
            raise ValueError("the first model is the base and cannot be fine-tuned from itself")
        decoders = self.decoders.settings
        for model in self.models:
            if model.pretrain and (
                model.pretrain.settings.decoder_share,
                model.pretrain.settings.validation_share,
            ) != (decoders.decoder_share, decoders.validation_share):
                raise ValueError("pretraining and decoders must split the text alike: give both the same shares")
        return self

    @property
    def base(self) -> ModelSpec:
        """The model that all others are compared with."""
        return self.models[0]


def read_study(path: Path) -> StudySpec:
    """Read a study file.

    Raises:
        BertnesiaError: naming the file and the line or key at fault.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BertnesiaError(f"Cannot read the study file {path}: {error.strerror or error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BertnesiaError(f"{path} is not valid TOML: {error}.") from error
    return _validated(values, str(path))


def probe_spec(models: Sequence[str], probes: Sequence[str], kinds: Sequence[str]) -> StudySpec:
    """A study of finished models, the base first, as `bertnesia probe` asks for it.

    Raises:
        BertnesiaError: if a decoder kind or a model's folder name cannot be used.
    """
    values = {
        "name": "probe",
        "title": f"{', '.join(models)} on {', '.join(probes)}",
        "probes": list(probes),
        "models": [{"name": name, "label": name, "checkpoint": name} for name in models],
        "decoders": {"kinds": list(kinds)},
    }
    return _validated(values, "The probe")


def with_probes(spec: StudySpec, probes: Sequence[str]) -> StudySpec:
    """The study with other probe sets.

    Raises:
        BertnesiaError: if there is none.
    """
    return _validated({**spec.model_dump(), "probes": list(probes)}, f"The study {spec.name}")


def _validated(values: dict[str, Any], where: str) -> StudySpec:
    try:
        return StudySpec.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise BertnesiaError(f"{where}: {place + ': ' if place else ''}{message}.") from error
