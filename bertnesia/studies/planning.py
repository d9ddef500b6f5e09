"""What running a study would do: every stage with its size, about how long it takes, and what has to be downloaded."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.trainer import Schedule
from bertnesia.models.encoder import load_config
from bertnesia.probes import read_probe_sets
from bertnesia.probing.variants import PARAPHRASES, SUBJECT_MASKED
from bertnesia.studies.calibration import Speed, measure
from bertnesia.studies.fetching import missing_checkpoints, missing_probes, missing_sources
from bertnesia.studies.run import StudyRun
from bertnesia.studies.spec import FinetuneSpec, ModelSpec, Shape

_BYTES_A_TOKEN = 4.4
_PROMPT_TOKENS = 11
_HIDDEN_SHARE = 0.15
_READINGS = {"mlm": 1}
"""How often an objective reads a passage in an epoch, about: tasks on SQuAD's paragraphs once a question."""
_KNOWN_FACTS = {"google_re": 5_527, "trex": 34_039, "conceptnet": 29_774, "squad": 305}
"""LAMA's sizes, for a plan made before it is there."""

DONE, TO_DO, MISSING = "done", "to do", "to download"


@dataclass(frozen=True, slots=True)
class Load:
    """What a stage makes the machine do.

    `tokens` go through an encoder, `rows` hidden states through heads; with `trains` the encoder, or with
    `trains_heads` the heads, are trained on the way.
    """

    shape: Shape
    tokens: float
    rows: float
    trains: bool = False
    trains_heads: bool = False

    def seconds(self, speed: Speed) -> float:
        """How long it takes at this speed."""
        head = speed.train_head if self.trains or self.trains_heads else speed.decode
        return self.tokens * (speed.train if self.trains else speed.read) + self.rows * head


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: what it makes, how much it reads, its state, and what it has to download in megabytes."""

    name: str
    what: str
    size: str
    state: str
    load: Load | None = None
    megabytes: float = 0


def plan(run: StudyRun) -> list[Stage]:
    """All stages of a study in order, those that are done among them. Needs no network and changes nothing."""
    return [*_downloads(run), *_kept(run), *_models(run), *_decoders(run), *_probing(run), _publishing(run)]


def estimate(stages: list[Stage]) -> list[float | None]:
    """About how many seconds each stage takes on this machine; None for those that are done or take no computing."""
    speed = cache(measure)
    return [
        stage.load.seconds(speed(stage.load.shape)) if stage.load and stage.state == TO_DO else None for stage in stages
    ]


def _downloads(run: StudyRun) -> Iterator[Stage]:
    for model in missing_checkpoints(run):
        weights = 4 * parameters(shape_of(run, model)) / 1e6
        yield Stage("download", str(model.checkpoint), f"{weights:,.0f} MB", MISSING, megabytes=weights)
    for source in [*missing_sources(run), *missing_probes(run)] if run.data else run.spec.sources:
        place = source.hub or f"bertnesia download {source.download}"
        what = f"{', '.join(source.files)} ({place})"
        yield Stage("download", what, f"{source.megabytes:,.0f} MB", MISSING, megabytes=source.megabytes)


def _kept(run: StudyRun) -> Iterator[Stage]:
    if run.kept and run.kept.models:
        names = ", ".join(model.name for model in run.spec.models if model.name in run.kept.models)
        yield Stage("keep", names, f"results of {run.kept.study.path.name}", DONE)


def _models(run: StudyRun) -> Iterator[Stage]:
    for model in run.wanted:
        made = run.made(model).exists()
        state = f"taken from {run.local(model)}" if run.local(model) else DONE if made else TO_DO
        if model.pretrain:
            settings = model.pretrain.settings
            load = _training(Shape(layers=settings.layers, hidden_size=settings.hidden_size), settings.schedule)
            yield Stage("pretrain", model.name, _steps(settings.schedule), state, load)
        elif tuning := run.spec.finetuning(model):
            load = _tuning(run, tuning)
            yield Stage("fine-tune", model.name, f"{load.tokens:,.0f} tokens of {tuning.objective}", state, load)
        elif model.at and (tuning := run.spec.run_of(model)) and model.at == _last_point(run, model):
            whole = _tuning(run, tuning)
            load = replace(whole, tokens=model.at * whole.tokens, rows=model.at * whole.rows)
            what = f"{model.variant_of}, as far as {model.at:.0%}"
            yield Stage("fine-tune", what, f"{load.tokens:,.0f} tokens of {tuning.objective}", state, load)


def _last_point(run: StudyRun, step: ModelSpec) -> float | None:
    """How far a fine-tuning that is over is begun again for its points that are wanted; None if it is not over."""
    original = run.spec.original(step)
    over = original not in run.wanted or run.local(original) or run.made(original).exists()
    return max(at for at, one in run.spec.kept(original).items() if one in run.wanted) if over else None


def _decoders(run: StudyRun) -> Iterator[Stage]:
    settings = run.spec.decoders.settings
    schedule = settings.schedule
    for model in run.wanted:
        shape = shape_of(run, model)
        last = run.last_layer_seeds(model)
        for kind, seed in run.whole_decoders(model):
            place = run.decoders(model, kind, seed)
            state = DONE if (place / "config.json").is_file() else TO_DO
            load = _heads(shape, schedule, settings.max_tokens, shape.layers)
            yield Stage("decoders", f"{model.name}: {place.name}, {shape.layers} layers", _steps(schedule), state, load)
        if last:
            there = all((run.decoders(model, "trained", seed) / "config.json").is_file() for seed in last)
            load = _heads(shape, schedule, settings.max_tokens, len(last))
            what = f"{model.name}: last layer, seeds {last[0]} to {last[-1]}"
            yield Stage("decoders", what, _steps(schedule), DONE if there else TO_DO, load)


def _probing(run: StudyRun) -> Iterator[Stage]:
    facts, variants = _prompts(run)
    for model in run.wanted:
        shape = shape_of(run, model)
        controls = len(run.spec.decoders.base_kinds) if model is run.spec.base else 0
        kinds = len(run.spec.kinds(model)) + controls
        main = run.spec.decoders.main
        seeds = len(run.seeds(model, main)) - 1 if main else 0
        masked, others = variants if model.role == "model" else (0, 0)
        told = facts * (run.spec.sample if run.spec.is_sampled(model) else 1)
        asked = told * (1 + masked + others * run.spec.sample)
        priors = len(run.spec.decoders.with_priors(run.spec.kinds(model)))
        heads = kinds + masked * priors + others * run.spec.sample + seeds
        rows = told * (shape.layers * heads + len(run.last_layer_seeds(model)))
        done = any((run.work / "parts").glob(f"ranks.{model.name}.*"))
        load = Load(shape, asked * _PROMPT_TOKENS, rows)
        size = f"{asked:,.0f} prompts, {rows:,.0f} ranks"
        yield Stage("probe", model.name, size, "results are there" if done else TO_DO, load)


def _publishing(run: StudyRun) -> Stage:
    return Stage("publish", str(run.database), "one file", DONE if run.database.exists() else TO_DO)


def _prompts(run: StudyRun) -> tuple[int, tuple[int, int]]:
    """How many facts are asked, and how many prompts without subject and other ones come with each, at most."""
    plain = {name: _KNOWN_FACTS.get(name, 0) for name in run.spec.probes}
    paraphrases = 0
    for name in run.spec.probes:
        try:
            (probe_set,) = read_probe_sets([name], run.data)
        except BertnesiaError:
            continue  # not there yet
        plain[name] = len(probe_set.facts)
        paraphrases = max(paraphrases, *(len(relation.paraphrases) for relation in probe_set.relations))
    masked = sum(variant == SUBJECT_MASKED for variant in run.spec.variants)
    others = sum(paraphrases if variant == PARAPHRASES else 1 for variant in run.spec.variants) - masked
    return sum(plain.values()), (masked, others)


def shape_of(run: StudyRun, model: ModelSpec) -> Shape:
    """The size of a model: its own where its config can be read, else what the study file says or its base has."""
    place = run.checkpoint(model)
    if Path(place, "config.json").is_file():
        config = load_config(place)
        return Shape(layers=config.num_hidden_layers, hidden_size=config.hidden_size, vocabulary_size=config.vocab_size)
    if model.pretrain:
        settings = model.pretrain.settings
        return Shape(
            layers=settings.layers,
            hidden_size=settings.hidden_size,
            vocabulary_size=settings.vocabulary_size or Shape().vocabulary_size,
        )
    return model.shape or (Shape() if model is run.spec.base else shape_of(run, run.spec.base))


def parameters(shape: Shape) -> float:
    """About how many weights a BERT of this size has."""
    return shape.layers * 12 * shape.hidden_size**2 + (shape.vocabulary_size + 512) * shape.hidden_size


def _batch(schedule: Schedule, longest: int) -> int:
    return schedule.batch_sequences * longest if schedule.batch_sequences else schedule.batch_tokens


def _training(shape: Shape, schedule: Schedule) -> Load:
    tokens = schedule.steps * _batch(schedule, 64)
    return Load(shape, tokens, _HIDDEN_SHARE * tokens, trains=True)


def _tuning(run: StudyRun, tuning: FinetuneSpec) -> Load:
    settings = tuning.settings
    if settings.epochs is None:
        tokens = float(settings.schedule.steps * _batch(settings.schedule, settings.max_tokens))
    else:
        share = getattr(settings, "share", 1.0)
        reads = _READINGS.get(tuning.objective, 5)
        tokens = settings.epochs * share * reads * sum(_bytes(run, name) for name in tuning.data) / _BYTES_A_TOKEN
    rows = _HIDDEN_SHARE * tokens if tuning.objective == "mlm" else 0
    return Load(shape_of(run, run.spec.base), tokens, rows, trains=True)


def _bytes(run: StudyRun, name: str) -> float:
    if run.data and (run.data / name).is_file():
        return (run.data / name).stat().st_size
    source = run.source(name)
    return source.megabytes * 1e6 if source else 0


def _heads(shape: Shape, schedule: Schedule, longest: int, heads: int) -> Load:
    tokens = schedule.steps * _batch(schedule, longest)
    return Load(shape, tokens, heads * _HIDDEN_SHARE * tokens, trains_heads=True)


def _steps(schedule: Schedule) -> str:
    at_most = "at most " if schedule.patience else ""
    batch = f"{schedule.batch_sequences} sequences" if schedule.batch_sequences else f"{schedule.batch_tokens:,} tokens"
    return f"{at_most}{schedule.steps:,} steps of {batch}"
