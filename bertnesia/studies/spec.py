"""The TOML file that describes a study."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.finetune import Finetuning
from bertnesia.models.decoder_training import DecoderTraining
from bertnesia.pretraining import Pretraining

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
"""Names of studies and models: they become names of files and folders."""

Kind = Literal["trained", "stock", "own", "full", "base"]
ControlKind = Literal["trained", "full", "random", "control"]
Variant = Literal["subject_masked", "subject_swapped", "paraphrases"]
Role = Literal["model", "seed", "control", "data", "step"]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PretrainSpec(_Table):
    """A base model to train: where its body comes from, and how it is trained."""

    start: str | None = Field(None, description="encoder to start from: folder, hub name or package:MODULE/FOLDER")
    settings: Pretraining = Field(Pretraining(), description="how to train it")


class FinetuneSpec(_Table):
    """A sibling to fine-tune from the base."""

    objective: str = Field(description="what to train for, e.g. `qa`")
    data: list[str] = Field(min_length=1, description="training files, relative to the data folder")
    settings: Finetuning = Field(Finetuning(), description="how to train it")
    probe_at: list[float] = Field(
        [], description="shares of the run at which all layers are probed with the base's trained decoders"
    )
    decoders_at: list[float] = Field([], description="those of `probe_at` with newly trained decoders, too")

    @model_validator(mode="after")
    def _points_of_the_run(self) -> "FinetuneSpec":
        if any(not 0 < share < 1 for share in self.probe_at):
            raise ValueError("probe_at holds shares of the run, greater than 0 and less than 1")
        if stray := sorted(set(self.decoders_at) - set(self.probe_at)):
            raise ValueError(f"decoders_at names {stray[0]:g}, which is not in probe_at")
        return self


class Shape(_Table):
    """What a dry run assumes of a checkpoint that it cannot read yet."""

    layers: int = Field(12, ge=1, description="depth")
    hidden_size: int = Field(768, ge=1, description="width")
    vocabulary_size: int = Field(30_522, ge=1, description="entries of the vocabulary")


class ModelSpec(_Table):
    """One model. Its origin is exactly one of `pretrain`, `finetune` and `checkpoint`.

    A variant (any role but `model`) says whose variant it is; one of role `seed` or `data` without an origin is
    fine-tuned as that model, with another seed or on a share of the data; one of role `step` is that model on its way.
    """

    name: str = Field(pattern=NAME, description="letters, digits, `.`, `_` and `-`; names the model's folder")
    label: str = Field("", description="what pages call it; the name where it is left out")
    training_data: str = Field("", description="what it was trained on, in words")
    pretrain: PretrainSpec | None = Field(None, description="train it on the study's text")
    finetune: FinetuneSpec | None = Field(None, description="fine-tune the base")
    checkpoint: str | None = Field(
        None, description="take it as it is: a folder or a hub name, perhaps with `@revision`"
    )
    shape: Shape | None = Field(None, description="size of a checkpoint, for the dry run's estimates")
    role: Role = Field(
        "model",
        description="`model` is shown everywhere; `seed`, `control`, `data` and `step` are variants of a model, whose "
        "ranks serve its measures and whose weights do not ship",
    )
    variant_of: str | None = Field(None, description="the model that this one is a variant of")
    seed: int | None = Field(None, ge=0, description="role `seed`: seed of the fine-tuning")
    share: float | None = Field(None, gt=0, le=1, description="role `data`: share of the training data")
    matched: Literal["epochs", "steps"] | None = Field(
        None, description="role `data`: what is as in training on all the data"
    )
    at: float | None = Field(
        None, gt=0, lt=1, description="role `step`: share of the model's training at which it was kept"
    )
    kinds: list[Kind] | None = Field(None, description="decoder kinds of this model; those of the study if left out")

    @model_validator(mode="after")
    def _one_origin(self) -> "ModelSpec":
        origins = sum(origin is not None for origin in (self.pretrain, self.finetune, self.checkpoint))
        derived = self.variant_of is not None and self.role in {"seed", "data", "step"}
        if origins != 1 and not (derived and origins == 0):
            raise ValueError(f"model {self.name!r} needs exactly one of pretrain, finetune and checkpoint")
        return self

    @model_validator(mode="after")
    def _role_is_told(self) -> "ModelSpec":
        needed = {"seed": ("seed",), "data": ("share", "matched"), "step": ("at",)}.get(self.role, ())
        told = {name for name in ("seed", "share", "matched", "at") if getattr(self, name) is not None}
        if (self.role == "model") != (self.variant_of is None):
            wrong = "does without variant_of" if self.role == "model" else "needs variant_of, the model it varies"
            raise ValueError(f"model {self.name!r} of role {self.role!r} {wrong}")
        if missing := [name for name in needed if name not in told]:
            raise ValueError(f"model {self.name!r} of role {self.role!r} needs {' and '.join(missing)}")
        if surplus := sorted(told - set(needed)):
            raise ValueError(f"model {self.name!r} of role {self.role!r} does without {surplus[0]}")
        return self


class DecoderSpec(_Table):
    """Which decoders to make. Their training text leaves out the facts of the study's probe sets and of `exclude`."""

    kinds: list[Kind] = Field(
        ["trained", "stock"],
        min_length=1,
        description="kinds that pages show, for every model: `base` for all but the base itself, `own` where the "
        "checkpoint has a masked-language-model head; the weights of trained ones ship with the model",
    )
    base_kinds: list[ControlKind] = Field(
        [], description="kinds for the base alone, as controls: ranks without predictions, no shipped weights"
    )
    seeds: int = Field(
        1,
        ge=1,
        le=8,
        description="how often every model's first trained kind is trained: seed 0 is shown, the others tell churn",
    )
    base_seeds: int | None = Field(None, ge=1, le=8, description="the same for the base; `seeds` where it is left out")
    last_layer_seeds: int = Field(
        0,
        ge=0,
        le=64,
        description="how many decoders the base's last layer has in all, those of `seeds` among them; as many as it "
        "has layers are the control of the union over layers",
    )
    priors: list[Kind] | None = Field(
        None, description="kinds that are asked with the subject masked; all that pages show where it is left out"
    )
    predictions: list[Kind] | None = Field(
        None, description="kinds whose first words are kept beside the ranks; all that pages show where it is left out"
    )
    exclude: list[str] = Field([], description="more probe sets whose facts decoder training text may not mention")
    settings: DecoderTraining = Field(DecoderTraining(), description="how to train them")

    @property
    def main(self) -> Literal["trained", "full"] | None:
        """The first kind that is trained: the one with several seeds."""
        return next((kind for kind in self.kinds if kind in {"trained", "full"}), None)

    def with_priors(self, kinds: Sequence[str]) -> tuple[str, ...]:
        """Those of the kinds that are asked with the subject masked."""
        return tuple(kind for kind in kinds if self.priors is None or kind in self.priors)

    def with_predictions(self, kinds: Sequence[str]) -> tuple[str, ...]:
        """Those of the kinds whose first words are kept."""
        return tuple(kind for kind in kinds if self.predictions is None or kind in self.predictions)

    @property
    def seeds_of_base(self) -> int:
        """How many decoders with all layers the base has."""
        return self.base_seeds or self.seeds

    @model_validator(mode="after")
    def _consistent(self) -> "DecoderSpec":
        if both := [kind for kind in self.base_kinds if kind in self.kinds]:
            raise ValueError(f"{both[0]!r} stands in kinds and in base_kinds: name it once")
        if "base" in self.kinds and "trained" not in self.kinds:
            raise ValueError("the kind base needs trained among the kinds: it is the base's")
        if self.main is None and (self.seeds > 1 or self.seeds_of_base > 1 or self.last_layer_seeds):
            raise ValueError("seeds, base_seeds and last_layer_seeds need trained or full among the kinds")
        if self.last_layer_seeds and (self.main != "trained" or self.last_layer_seeds < self.seeds_of_base):
            raise ValueError(
                "last_layer_seeds needs trained as the first trained kind and is not less than the base's seeds"
            )
        return self

    @field_validator("kinds", "base_kinds")
    @classmethod
    def _each_once(cls, kinds: list[str]) -> list[str]:
        return list(dict.fromkeys(kinds))


class SourceSpec(_Table):
    """Where data files can be fetched from, if they are not in the data folder."""

    files: list[str] = Field(min_length=1, description="files or folders, relative to the data folder")
    download: str | None = Field(None, description="what `bertnesia download` calls it")
    hub: str | None = Field(None, description="or a data set of the hub, perhaps with `@revision`")
    parquet: list[str] = Field([], description="its Parquet files")
    column: str = Field("", description="their column of texts, `outer.inner` for a list inside a struct")
    megabytes: float = Field(ge=0, description="how much there is to download, for the dry run")

    @model_validator(mode="after")
    def _one_place(self) -> "SourceSpec":
        if (self.download is None) == (self.hub is None):
            raise ValueError(f"the source of {self.files[0]} needs one of download and hub")
        if self.hub and not (self.parquet and self.column and len(self.files) == 1):
            raise ValueError(f"the source of {self.files[0]} makes one file of hub: give its parquet files and column")
        return self


class StudySpec(_Table):
    """A study. The base is the first model."""

    name: str = Field(pattern=NAME, description="letters, digits, `.`, `_` and `-`; names the database")
    title: str = Field(description="heading of every page")
    description: str = Field("", description="what was studied, in a sentence or two")
    probes: list[str] = Field(min_length=1, description="probe sets to ask")
    variants: list[Variant] = Field(
        [],
        description="prompts to ask beside the plain ones: the subject masked (with the decoder kinds of "
        "`priors`), another subject in its place and the relations' paraphrases (with the first trained kind, of a "
        "`sample` of the facts)",
    )
    sample: float = Field(
        1.0,
        gt=0,
        le=1,
        description="share of the facts that are asked with another subject, in other words, at points on the way of a "
        "fine-tuning, and after training on a share of the data; all else is asked of every fact",
    )
    text: list[str] = Field([], description="text that bases and decoders are trained on, relative to the data folder")
    models: list[ModelSpec] = Field(min_length=1, description="the models, the base first")
    decoders: DecoderSpec = Field(DecoderSpec(), description="the decoders of every model")
    sources: list[SourceSpec] = Field([], description="where missing data files come from")

    @model_validator(mode="after")
    def _consistent(self) -> "StudySpec":
        names = [model.name for model in self.models]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two models are called {min(twice)!r}")
        if self.base.finetune or self.base.role != "model":
            raise ValueError("the first model is the base and cannot be fine-tuned from itself")
        decoders = self.decoders.settings
        for model in self.models:
            if model.pretrain and (
                model.pretrain.settings.decoder_share,
                model.pretrain.settings.validation_share,
            ) != (decoders.decoder_share, decoders.validation_share):
                raise ValueError("pretraining and decoders must split the text alike: give both the same shares")
        return self

    @model_validator(mode="after")
    def _variants_vary_models(self) -> "StudySpec":
        models = {model.name: model for model in self.models if model.role == "model"}
        for model in self.models:
            if model.variant_of is None:
                continue
            if model.variant_of not in models:
                raise ValueError(f"{model.name!r} varies {model.variant_of!r}, which is no model of the study")
            original = models[model.variant_of]
            if model.role == "step" and not (original.pretrain or original.finetune):
                raise ValueError(f"{model.name!r} is a step of {model.variant_of!r}, which is not trained here")
            if model.role != "step" and not (model.finetune or model.checkpoint or model.pretrain or original.finetune):
                raise ValueError(
                    f"{model.name!r} varies {model.variant_of!r}, which is not fine-tuned: say how it came about"
                )
        return self

    @property
    def base(self) -> ModelSpec:
        """The model that all others are compared with."""
        return self.models[0]

    def finetuning(self, model: ModelSpec) -> FinetuneSpec | None:
        """How a model is fine-tuned, if it is: its own table, or that of the model it varies with the one change."""
        if model.finetune or model.pretrain or model.checkpoint or model.role == "step":
            return model.finetune
        original = self.original(model).finetune
        assert original, "validated"  # noqa: S101
        settings = original.settings
        changed: dict[str, Any] = {"share": model.share, "matched": model.matched}
        if model.role == "seed":
            changed = {"schedule": settings.schedule.model_copy(update={"seed": model.seed})}
        changes = {"settings": settings.model_copy(update=changed), "probe_at": [], "decoders_at": []}
        return original.model_copy(update=changes)

    def run_of(self, model: ModelSpec) -> FinetuneSpec | None:
        """The fine-tuning that makes a model, or on whose way it is kept, without what else is asked there."""
        tuning = self.original(model).finetune if model.role == "step" else self.finetuning(model)
        return tuning and tuning.model_copy(update={"probe_at": [], "decoders_at": []})

    def original(self, variant: ModelSpec) -> ModelSpec:
        """The model that a variant varies."""
        return next(model for model in self.models if model.name == variant.variant_of)

    def is_sampled(self, model: ModelSpec) -> bool:
        """Whether a model is asked a `sample` of the facts alone."""
        return model.role == "data" or (model.role == "step" and self.original(model).finetune is not None)

    def kept(self, model: ModelSpec) -> dict[float, ModelSpec]:
        """The points of a model's training at which it is kept, with what it is called there."""
        return {step.at: step for step in self.models if step.at is not None and step.variant_of == model.name}

    def kinds(self, model: ModelSpec) -> list[str]:
        """The decoder kinds of a model that pages show; `own` is for its checkpoint to have or not."""
        kinds: list[str] = list(model.kinds or self.decoders.kinds)
        return [kind for kind in kinds if kind != "base"] if model is self.base else kinds


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


def probe_spec(models: Sequence[str] | Mapping[str, str], probes: Sequence[str], kinds: Sequence[str]) -> StudySpec:
    """A study of finished models, the base first, as `bertnesia probe` asks for it.

    Args:
        models: their names; or folders and hub names by name.
        probes: names or paths of probe sets.
        kinds: decoder kinds.

    Raises:
        BertnesiaError: if a decoder kind or a model's folder name cannot be used.
    """
    checkpoints = models if isinstance(models, Mapping) else {name: name for name in models}
    values = {
        "name": "probe",
        "title": f"{', '.join(checkpoints)} on {', '.join(probes)}",
        "probes": list(probes),
        "models": [{"name": name, "label": name, "checkpoint": place} for name, place in checkpoints.items()],
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
