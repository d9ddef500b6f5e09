"""Verifying what was published: every hash, and the ranks of facts drawn at random, computed again."""

import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from bertnesia.errors import BertnesiaError
from bertnesia.models.checkpoints import read_provenance
from bertnesia.models.decoders import saved_decoders
from bertnesia.models.encoder import encoder_hash, vocabulary_hash
from bertnesia.models.layered import LayeredModel, load_layered
from bertnesia.probes import read_probe_sets
from bertnesia.probes.facts import ProbeSet
from bertnesia.probes.tables import paths_of_tables
from bertnesia.probing.run import ask, head_hash
from bertnesia.progress import progress_bar
from bertnesia.store.stored import stored_decoders, stored_facts, stored_models, stored_probe_sets, stored_ranks
from bertnesia.store.study import Study, open_study
from bertnesia.studies.reranking import Reranking

_FREE_KINDS = ("stock", "own", "base")


@dataclass(frozen=True, slots=True)
class Check:
    """Something that was checked: how many of it, and a sentence for each that is not as it should be.

    `rounded` counts ranks that are next to the stored ones because two words all but tie.
    """

    what: str
    checked: int
    mismatches: tuple[str, ...] = ()
    rounded: int = 0


@dataclass(frozen=True, slots=True)
class _Served:
    """A model of the study as it can be asked again: its row of the table `models`, and itself with its decoders."""

    name: str
    row: pd.Series
    model: LayeredModel
    kinds: tuple[str, ...] = field(default=())


def verify(path: Path, data: Path | None = None, facts: int = 200, seed: int | None = None) -> list[Check]:
    """Check a database, or all databases of a folder, against the models, decoders and probe files that they name.

    Args:
        path: a folder or a database.
        data: the folder that holds the probe sets that do not ship.
        facts: how many facts of each study are ranked again, by every layer of every model with every kind of decoder
            whose weights are there, in every variant of the prompt.
        seed: of the drawing of facts; a new one each time where it is left out.

    Raises:
        BertnesiaError: if there is no database, or one cannot be opened.
    """
    databases = sorted(path.glob("*.duckdb")) if path.is_dir() else [path]
    if not databases:
        raise BertnesiaError(f"There is no database (*.duckdb) in {path}.")
    chance = random.Random(seed)  # noqa: S311 - which facts are drawn is no secret
    return [check for database in databases for check in _Verifier(open_study(database), data, chance).checks(facts)]


class _Verifier:
    def __init__(self, study: Study, data: Path | None, chance: random.Random) -> None:
        self.study = study
        self.data = data
        self.chance = chance
        self.name = study.path.name
        self.facts = stored_facts(study).set_index("fact")
        self.sample: float = json.loads(study.settings).get("sample", 1.0)

    def checks(self, count: int) -> Iterator[Check]:
        models = stored_models(self.study)
        served, problems = self._load(models)
        yield Check(f"{self.name}: models", len(models), (*problems, *self._each(served, self._model)))
        yield self._decoders(served)
        probe_sets, check = self._probe_sets()
        yield check
        yield self._asked(probe_sets, served)
        yield from self._ranks(probe_sets, served, count)

    def _load(self, models: pd.DataFrame) -> tuple[list[_Served], list[str]]:
        """The models that can be loaded, and why the others cannot."""
        served: list[_Served] = []
        problems: list[str] = []
        folders = {row["model"]: self.study.place(row["folder"]) for _, row in models.iterrows()}
        for _, row in models.iterrows():
            base = None if pd.isna(row["base"]) else folders[row["base"]]
            place = self.study.path.parent / row["decoder_folder"] if row["decoder_folder"] else None
            try:
                kinds = self._kinds(row["model"], place)
                model = load_layered(folders[row["model"]], base, kinds, place, self._base_decoders(models))
            except BertnesiaError as error:
                problems.append(f"{row['model']}: {error}")
            else:
                served.append(_Served(row["model"], row, model, tuple(kinds)))
        return served, problems

    def _base_decoders(self, models: pd.DataFrame) -> Path | None:
        folder = models.loc[models["model"] == self.study.base, "decoder_folder"].item()
        return self.study.path.parent / folder if folder else None

    def _kinds(self, model: str, place: Path | None) -> list[str]:
        """The decoder kinds that have ranks and need no weights, or whose weights are there."""
        stored = stored_decoders(self.study, model)
        kinds = list(dict.fromkeys(stored.loc[stored["seed"] == 0, "kind"]))
        there = {kind for kind, seed in saved_decoders(place) if seed == 0} if place else set()
        return [kind for kind in kinds if kind in _FREE_KINDS or (kind in there and kind != "control")]

    @staticmethod
    def _each(served: Iterable[_Served], check: Callable[[_Served], Iterator[str]]) -> Iterator[str]:
        for one in served:
            yield from check(one)

    def _model(self, one: _Served) -> Iterator[str]:
        found = encoder_hash(one.model.encoder)
        if found != one.row["encoder_hash"]:
            yield f"{one.name}: the encoder's weights are not those that the study was made with."
        if vocabulary_hash(one.model.tokenizer) != one.row["vocabulary_hash"]:
            yield f"{one.name}: the vocabulary is not the one that the study was made with."
        provenance = read_provenance(Path(self.study.place(one.row["folder"])))
        if provenance and provenance.get("encoder_hash") != found:
            yield f"{one.name}: the weights are not those that its bertnesia.json speaks of."

    def _decoders(self, served: Sequence[_Served]) -> Check:
        checked, mismatches = 0, []
        for one in served:
            stored = stored_decoders(self.study, one.name).set_index(["kind", "seed", "layer"])["hash"]
            for kind in one.kinds:
                heads = one.model.of_kind(kind)
                for layer, head in zip(heads.layers, heads.heads, strict=True):
                    checked += 1
                    if stored.get((kind, 0, layer)) != head_hash(head):
                        mismatches.append(f"{one.name}: its {kind} decoder of layer {layer} is another one.")
        return Check(f"{self.name}: decoders of layers", checked, tuple(mismatches))

    def _probe_sets(self) -> tuple[list[ProbeSet], Check]:
        """The probe sets that can be read, and whether their files are those of the study."""
        stored = stored_probe_sets(self.study)
        tables = paths_of_tables(json.loads(self.study.settings).get("probes", []))
        read: list[ProbeSet] = []
        checked, mismatches = 0, []
        for row in stored.to_dict("records"):
            try:
                (probe_set,) = read_probe_sets([tables.get(row["probe_set"], row["probe_set"])], self.data)
            except BertnesiaError as error:
                mismatches.append(f"{row['probe_set']}: {error}")
                continue
            read.append(probe_set)
            files = json.loads(row["files"])
            checked += len(files)
            changed = [name for name in files if probe_set.hashes.get(name) != files[name]]
            mismatches += [f"{row['probe_set']}: the file {name} has changed or is missing." for name in changed]
        return read, Check(f"{self.name}: probe files", checked, tuple(mismatches))

    def _asked(self, probe_sets: Sequence[ProbeSet], served: Sequence[_Served]) -> Check:
        """Whether the facts of the probe sets, their prompts and their eligibility are those of the study."""
        if not served:
            return Check(f"{self.name}: facts", 0)
        mismatches, checked = [], 0
        for one in ask(probe_sets, served[0].model):
            eligible = {prompt.fact for prompt in one.prompts}
            stored = self.facts[self.facts["probe_set"] == one.probe_set.name]
            checked += len(stored)
            texts = {prompt.fact: prompt.text for prompt in one.prompts}
            if set(stored.index) != {fact.id for fact in one.probe_set.facts}:
                mismatches.append(f"{one.probe_set.name}: the files hold other facts than the study.")
            elif set(stored.index[stored["eligible"]]) != eligible:
                mismatches.append(f"{one.probe_set.name}: other facts are eligible than in the study.")
            elif dict(stored.loc[stored["eligible"], "prompt"]) != texts:
                mismatches.append(f"{one.probe_set.name}: the prompts are worded otherwise than in the study.")
        return Check(f"{self.name}: facts", checked, tuple(mismatches))

    def _ranks(self, probe_sets: Sequence[ProbeSet], served: Sequence[_Served], count: int) -> Iterator[Check]:
        eligible = sorted(self.facts.index[self.facts["eligible"]])
        drawn = set(self.chance.sample(eligible, min(count, len(eligible))))
        with progress_bar(f"Ranking {len(drawn)} facts again", len(served)) as advance:
            for one in served:
                yield self._ranks_of(one, probe_sets, drawn)
                advance(1)

    def _ranks_of(self, one: _Served, probe_sets: Sequence[ProbeSet], drawn: set[int]) -> Check:
        stored = stored_ranks(self.study, one.name, one.kinds, sorted(drawn))
        again = Reranking(one.name, one.model, one.kinds, probe_sets, self.sample)
        count, rounded, mismatches = again.mismatches(stored, drawn)
        return Check(f"{self.name}: ranks of {one.name}, {len(drawn)} facts", count, tuple(mismatches), rounded)
