"""A study at work: its description, and where its data, models and results are."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from bertnesia.corpora import Corpus, read_corpus
from bertnesia.downloads import fetched_by
from bertnesia.errors import BertnesiaError
from bertnesia.models.decoder_training import TRAINED_KINDS
from bertnesia.models.decoders import decoder_name
from bertnesia.probes import read_probe_sets
from bertnesia.probes.facts import Fact, ProbeSet
from bertnesia.progress import console
from bertnesia.store.study import Study
from bertnesia.studies.spec import ModelSpec, SourceSpec, StudySpec

MOST_PROBLEMS = 20
"""Problems of one probe set's files that are told one by one."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Models whose results are taken from an earlier publication, and the steps on the way that go with them."""

    study: Study
    models: frozenset[str] = frozenset()
    steps: tuple[str, ...] = ()


@dataclass(frozen=True)
class StudyRun:
    """A study with its places: `data` holds text and probe sets, `work` takes all that is made.

    `models` is a folder of local copies: of a model of the study under its name, with the decoders that it has in
    `decoders`, or of a hub checkpoint under its hub name or the last part of that. What is there is taken as it is;
    what is not is made in `work`, unless `train` is off. What is `kept` is not made or asked again.
    """

    spec: StudySpec
    data: Path | None
    work: Path
    models: Path | None = None
    train: bool = True
    kept: Kept | None = field(default=None, repr=False)

    @property
    def wanted(self) -> list[ModelSpec]:
        """The models that are not kept."""
        return [model for model in self.spec.models if self.kept is None or model.name not in self.kept.models]

    @property
    def database(self) -> Path:
        """The file that the run publishes."""
        return self.work / f"{self.spec.name}.duckdb"

    def local(self, model: ModelSpec) -> Path | None:
        """The local copy of a model, if there is one."""
        names = [model.name]
        if model.checkpoint:
            hub = model.checkpoint.partition("@")[0]
            names += [hub, hub.rsplit("/", 1)[-1]]
        places = (self.models / name for name in names) if self.models else ()
        return next((place for place in places if (place / "config.json").is_file()), None)

    def folder(self, model: ModelSpec) -> Path:
        """Where a model's weights are, or will be, if they are not a checkpoint from elsewhere."""
        return self.local(model) or self.made(model)

    def made(self, model: ModelSpec) -> Path:
        """The model's folder among what the run makes."""
        return self.work / "models" / model.name

    def checkpoint(self, model: ModelSpec) -> str:
        """The folder or hub name to load a model from."""
        return model.checkpoint if model.checkpoint and self.local(model) is None else str(self.folder(model))

    def decoders(self, model: ModelSpec, kind: str, seed: int = 0) -> Path:
        """The folder of decoders of one kind and seed: beside the local copy if they are there, else in `work`."""
        name = decoder_name(kind, seed)
        local = self.local(model)
        there = local and (local / "decoders" / name / "config.json").is_file()
        return (local if local and (there or not self.train) else self.made(model)) / "decoders" / name

    def shown_decoders(self, model: ModelSpec) -> Path:
        """The folder that holds the decoders that pages show."""
        trained = [kind for kind in self.spec.kinds(model) if kind in TRAINED_KINDS]
        return self.decoders(model, trained[0] if trained else "trained").parent

    def file(self, name: str) -> Path:
        """A data file of the study.

        Raises:
            BertnesiaError: if no data folder was given or the file is not in it.
        """
        if self.data is None:
            raise BertnesiaError(
                f"The study needs the file {name}: name the folder that holds it with --data."
                f"{fetched_by(Path('data', name))}"
            )
        if not (self.data / name).is_file():
            raise BertnesiaError(
                f"The study needs the file {name}, which is not in the data folder {self.data}.{self._where_from(name)}"
            )
        return self.data / name

    def files_trained_on(self) -> list[str]:
        """Every data file that a model or decoder of the study was trained on."""
        tunings = [tuning for model in self.spec.models if (tuning := self.spec.finetuning(model))]
        return list(dict.fromkeys([*self.spec.text, *(name for tuning in tunings for name in tuning.data)]))

    def files_to_train(self) -> list[str]:
        """The data files that training needs, or that tell whether what was trained is still what is wanted."""
        made = [model for model in self.wanted if self.local(model) is None]
        names = [name for model in made if (tuning := self.spec.run_of(model)) for name in tuning.data]
        if any(model.pretrain for model in made) or self.decoders_wanted():
            names += self.spec.text
        return list(dict.fromkeys(names))

    def decoders_wanted(self) -> bool:
        """Whether any decoders are to be trained, or to be told from others, by this run."""
        return any(
            self.is_made_here(model, kind, seed) for model in self.wanted for kind, seed in self.decoders_of(model)
        )

    def is_made_here(self, model: ModelSpec, kind: str, seed: int) -> bool:
        """Whether decoders belong to what the run makes, and not to a local copy that has them."""
        return self.decoders(model, kind, seed).parent.parent == self.made(model)

    def has_file(self, name: str) -> bool:
        """Whether a data file is there."""
        return self.data is not None and (self.data / name).exists()

    def source(self, name: str) -> SourceSpec | None:
        """Where a data file can be fetched from, if the study says so."""
        return next((source for source in self.spec.sources if name in source.files), None)

    def _where_from(self, name: str) -> str:
        source = self.source(name)
        if source is None:
            return fetched_by(Path(self.data or "data", name))
        return (
            f" 'bertnesia download {source.download} --to {self.data}' fetches it."
            if source.download
            else f" It is made from {source.hub}."
        )

    @cached_property
    def corpus(self) -> Corpus:
        """The text that base models and decoders are trained on."""
        return read_corpus([self.file(name) for name in self.spec.text])

    @cached_property
    def facts_left_out(self) -> list[Fact]:
        """The facts that decoder training text may not mention."""
        names = [*self.spec.decoders.exclude, *self.spec.probes]
        return [fact for probe_set in read_probe_sets(names, self.data) for fact in probe_set.facts]

    @cached_property
    def probe_sets(self) -> list[ProbeSet]:
        """The probe sets to ask, each problem of their files told once."""
        probe_sets = read_probe_sets(self.spec.probes, self.data)
        for probe_set in probe_sets:
            for problem in probe_set.problems[:MOST_PROBLEMS]:
                console.print(f"left out: {problem}", highlight=False, markup=False)
            if (more := len(probe_set.problems) - MOST_PROBLEMS) > 0:
                console.print(f"left out: {more} more of {probe_set.label}", highlight=False, markup=False)
        return probe_sets

    def seeds(self, model: ModelSpec, kind: str) -> Sequence[int]:
        """Seeds of the decoders of a kind that have all layers."""
        repeated = kind == self.spec.decoders.main and kind in self.spec.kinds(model) and model.role == "model"
        decoders = self.spec.decoders
        return range((decoders.seeds_of_base if model is self.spec.base else decoders.seeds) if repeated else 1)

    def decoders_of(self, model: ModelSpec) -> list[tuple[str, int]]:
        """Kind and seed of all decoders that a model needs trained, those of the last layer alone among them."""
        return [*self.whole_decoders(model), *(("trained", seed) for seed in self.last_layer_seeds(model))]

    def whole_decoders(self, model: ModelSpec) -> list[tuple[str, int]]:
        """The same without those of the last layer alone."""
        kinds = [kind for kind in self.spec.kinds(model) if kind in TRAINED_KINDS]
        if model is self.spec.base:
            kinds += self.spec.decoders.base_kinds
        return [(kind, seed) for kind in kinds for seed in self.seeds(model, kind)]

    def last_layer_seeds(self, model: ModelSpec) -> Sequence[int]:
        """Seeds of the decoders that have the last layer alone."""
        decoders = self.spec.decoders
        return range(decoders.seeds_of_base, decoders.last_layer_seeds) if model is self.spec.base else range(0)


def without_lost_points(run: StudyRun) -> StudyRun:
    """The run without points on the way of a base that is taken from a local copy which came without them, each told.

    They could only be had by training the base again.
    """
    lost = [model for model in run.wanted if _is_lost(run, model)]
    for model in lost:
        taken = run.local(run.spec.original(model))
        console.print(f"{model.name}: left out, {taken} came without it.", highlight=False, markup=False)
    kept = [model for model in run.spec.models if model not in lost]
    return replace(run, spec=run.spec.model_copy(update={"models": kept})) if lost else run


def _is_lost(run: StudyRun, model: ModelSpec) -> bool:
    if model.role != "step" or run.folder(model).exists():
        return False
    original = run.spec.original(model)
    return original.finetune is None and run.local(original) is not None
