"""A study at work: its description, and where its data, models and results are."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bertnesia.corpora import Corpus, read_corpus
from bertnesia.errors import BertnesiaError
from bertnesia.models.layered import LayeredModel, load_layered
from bertnesia.probes import read_probe_sets
from bertnesia.probes.facts import Fact, ProbeSet
from bertnesia.progress import console
from bertnesia.studyfile import ModelSpec, StudySpec


@dataclass(frozen=True)
class StudyRun:
    """A study with its places: `data` holds text and probe sets, `work` takes all that is made.

    With `models`, a folder of finished models and their decoders, nothing is trained: they are taken as they are.
    """

    spec: StudySpec
    data: Path | None
    work: Path
    models: Path | None = None

    @property
    def database(self) -> Path:
        """The file that the run publishes."""
        return self.work / f"{self.spec.name}.duckdb"

    def folder(self, model: ModelSpec) -> Path:
        """Where a model's weights and decoders are."""
        return (self.models or self.work / "models") / model.name

    def checkpoint(self, model: ModelSpec) -> str:
        """The folder or hub name to load a model from."""
        return str(self.folder(model)) if self.models or not model.checkpoint else model.checkpoint

    def file(self, name: str) -> Path:
        """A data file of the study.

        Raises:
            BertnesiaError: if no data folder was given or the file is not in it.
        """
        if self.data is None:
            raise BertnesiaError(f"The study needs the file {name}: name the folder that holds it with --data.")
        if not (self.data / name).is_file():
            raise BertnesiaError(f"The study needs the file {name}, which is not in {self.data}.")
        return self.data / name

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
            for problem in probe_set.problems:
                console.print(f"left out: {problem}", highlight=False, markup=False)
        return probe_sets

    def load(self, model: ModelSpec) -> LayeredModel:
        """A model with its decoders."""
        base = None if model is self.spec.base else self.checkpoint(self.spec.base)
        decoders = self.folder(model) / "decoders"
        return load_layered(self.checkpoint(model), base, list(self.spec.decoders.kinds), decoders)
