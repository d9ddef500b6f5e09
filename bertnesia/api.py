"""The Python side of the commands: what `import bertnesia` offers beside `Cloze`. Tables in, tables out."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import pandas as pd

from bertnesia.analysis.paraphrases import at_any_layer, by_relation, overall
from bertnesia.corpora import read_corpus
from bertnesia.errors import BertnesiaError
from bertnesia.models.decoder_training import DecoderTraining
from bertnesia.models.decoder_training import train_decoders as train
from bertnesia.models.decoders import parse_layers, saved_kinds
from bertnesia.models.encoder import load_encoder, load_masked_lm, load_tokenizer
from bertnesia.models.heads import head_weights
from bertnesia.models.layered import LayeredModel, load_layered
from bertnesia.models.places import locate
from bertnesia.probes import read_probe_sets
from bertnesia.probes.facts import ProbeSet
from bertnesia.probing.run import ask
from bertnesia.probing.shards import ask_shard, cut_shards
from bertnesia.probing.variants import PARAPHRASES, PLAIN
from bertnesia.progress import progress_bar
from bertnesia.store.queries import Question, asked, default_average, every_rank, relation_measures
from bertnesia.store.study import Study, close_study, open_study
from bertnesia.studies.run import StudyRun
from bertnesia.studies.spec import Kind, probe_spec
from bertnesia.studies.stages import prepare, publish_study
from bertnesia.summary import summarise

Names = str | Path | Sequence[str | Path]
"""One name or path, or several."""

Layers = str | int | Sequence[int]
"""`all`, `6`, `1,3`, `2-4`, or numbers."""

Per = Literal["layer", "relation", "fact"]


def probe(
    models: Names,
    probes: Names = "atlas",
    layers: Layers = "all",
    *,
    kinds: str | Sequence[str] | None = None,
    per: Per = "layer",
    data: str | Path | None = None,
    out: str | Path | None = None,
) -> pd.DataFrame:
    """Ask every layer of one or more models the facts of probe sets. What `bertnesia probe` does.

    Args:
        models: a model's folder or hub name; of several the first is the base, whose head decodes the others.
        probes: names of probe sets, or paths of your own tables (CSV, TSV, JSONL, Parquet).
        layers: which layers to return; all are asked in one pass.
        kinds: decoder kinds; without it, those that every model has in its folder `decoders`, and `stock`.
        per: one row for each layer, for each layer and relation, or for each layer and fact.
        data: the folder that holds LAMA, BEAR, ...; `atlas` does without.
        out: a folder to keep the results in, with the database `probe.duckdb`, which the dashboard opens.

    Returns:
        Per layer: probe_set, average, kind, model, layer, facts, P@1, P@10, P@100, MRR, over the facts that all models
        were asked. Per relation the same with relation and label in place of average. Per fact: model, kind, layer,
        probe_set, relation, subject, object, prompt, rank, filtered_rank, ties, log_probability, prediction.

    Raises:
        BertnesiaError: if a model, probe set or layer is not there or cannot be used.
    """
    if per not in get_args(Per):
        raise BertnesiaError(f"per is {per!r}, but must be one of {', '.join(get_args(Per))}.")
    places = _places(models)
    chosen = _listed(kinds) if kinds is not None else _kinds_of(places.values())
    with _results(out) as work, _gathered(places) as folder:
        run = StudyRun(probe_spec(places, _listed(probes), chosen), _path(data), work, folder, train=False)
        prepare(run)
        study = open_study(publish_study(run))
        wanted = _layers(layers, int(study.models()["layers"].max()))
        ranks = partial(every_rank, layers=wanted)
        tables: dict[Per, Callable[[Study], pd.DataFrame]] = {
            "layer": summarise, "relation": _by_relation, "fact": ranks
        }  # fmt: skip
        table = tables[per](study)
        if out is None:
            close_study(study)
    return table.loc[table["layer"].isin(wanted)].reset_index(drop=True)


def probe_paraphrases(
    models: Names,
    probes: Names = "atlas",
    layers: Layers = "all",
    *,
    kind: str | None = None,
    k: int = 1,
    per: Literal["layer", "relation"] = "layer",
    data: str | Path | None = None,
) -> pd.DataFrame:
    """Ask every layer the facts in the words of every template, and say what that changes.

    Args:
        models: as `probe` takes them.
        probes: as `probe` takes them; relations without paraphrases count as having one template.
        layers: which layers to return.
        kind: the decoder kind; without it the first that all models have.
        k: the rank up to which a fact counts as right.
        per: one row for each layer, averaged over relations as `probe` does, or for each layer and relation.
        data: as `probe` takes it.

    Returns:
        model, kind, layer, probe_set, relations (or relation and templates), facts, and the measures of
        `bertnesia.analysis.paraphrases.by_relation`: mean, best, consistency, all_alike, agreement,
        consistent_accuracy. Rows whose layer is `any` count a fact as right if some layer has it right.

    Raises:
        BertnesiaError: as `probe`.
    """
    if per not in ("layer", "relation"):
        raise BertnesiaError(f"per is {per!r}, but must be one of layer, relation.")
    places = _places(models)
    chosen = kind or _kinds_of(places.values())[0]
    base, *_ = places.values()
    probe_sets = StudyRun(probe_spec(places, _listed(probes), [chosen]), _path(data), Path(), train=False).probe_sets
    tables = []
    for name, place in places.items():
        model = load_layered(place, None if place == base else base, [chosen])
        answers = _answers(name, model, chosen, probe_sets)
        table = pd.concat([by_relation(answers, k), by_relation(at_any_layer(answers), k).assign(layer="any")])
        tables.append(table[table["layer"].isin([*_layers(layers, model.layers), "any"])])
    relations = pd.concat(tables, ignore_index=True)
    if per == "relation":
        return relations
    grouped = relations.groupby("probe_set", sort=False)
    return pd.concat([overall(group, default_average(str(name))) for name, group in grouped], ignore_index=True)


def train_decoders(
    model: str | Path,
    text: Names,
    *,
    base: str | Path | None = None,
    out: str | Path | None = None,
    exclude: Names = "atlas",
    data: str | Path | None = None,
    steps: int = 500,
    learning_rate: float = 1e-3,
    seed: int = 0,
) -> pd.DataFrame:
    """Train a decoder for every layer of a model, all layers in one pass, the model frozen.

    What `bertnesia train-decoders` does. `probe` finds them in `decoders` in the model's folder.

    Args:
        model: its folder or hub name.
        text: training text: files with a sentence or paragraph a line, or WikiText.
        base: its base model, if it has no pre-trained head of its own.
        out: the folder that gets the folder `trained`; by default `decoders` in the model's. A hub's model needs it.
        exclude: probe sets whose facts the text may not mention.
        data: the folder that holds them; `atlas` does without.
        steps: optimizer steps.
        learning_rate: the highest one.
        seed: of batches and masks.

    Returns:
        layer, step (whose weights were kept), loss (validation, nats a masked token), accuracy, still_improving (the
        loss was still falling when training stopped).

    Raises:
        BertnesiaError: if decoders are there already, a hub's model comes without `out`, or something is missing or
            cannot be used.
    """
    if not out and not Path(model).is_dir():
        locate(str(model))  # says so where a path is not there
        raise BertnesiaError(f"{model} is not a folder here: say where its decoders go, as out (--out).")
    folder = (Path(out) if out else Path(model) / "decoders") / "trained"
    if folder.exists():
        raise BertnesiaError(f"{folder} already exists: delete it, or name another folder as out.")
    defaults = DecoderTraining()
    schedule = defaults.schedule.model_copy(update={"steps": steps, "learning_rate": learning_rate, "seed": seed})
    config = train(
        load_encoder(str(model)),
        load_tokenizer(str(model)),
        head_weights(load_masked_lm(str(base or model))[0]),
        read_corpus([Path(path) for path in _listed(text)]),
        [fact for probe_set in read_probe_sets(_listed(exclude), _path(data)) for fact in probe_set.facts],
        folder,
        defaults.model_copy(update={"schedule": schedule}),
    )
    return pd.DataFrame(
        [
            record.model_dump(include={"layer", "step", "loss", "accuracy", "still_improving"})
            for record in config.layers
        ]
    )


def _answers(name: str, model: LayeredModel, kind: str, probe_sets: Sequence[ProbeSet]) -> pd.DataFrame:
    """Rank and first prediction of every layer, fact and template."""
    shards = [
        (each, variant, shard)
        for each in ask(probe_sets, model, [PARAPHRASES])
        for variant, prompts in {PLAIN: each.prompts, **each.variants}.items()
        for shard in cut_shards(prompts, each.probe_set.scoring)
    ]
    tables: list[pd.DataFrame] = []
    with progress_bar(f"Probing {name} in other words", sum(shard.prompts for *_, shard in shards)) as advance:
        for each, variant, shard in shards:
            ranks, predictions = (table.to_pandas() for table in ask_shard(model, name, [kind], shard, variant))
            relations = {fact.id: fact.relation for fact in each.probe_set.facts}
            answers = ranks.merge(predictions, on=["model", "kind", "layer", "fact"])
            answers = answers.assign(
                probe_set=each.probe_set.name,
                relation=answers["fact"].map(relations),
                prediction=answers["tokens"].str[0],
            )
            tables.append(answers.drop(columns=["tokens", "probabilities"]))
            advance(shard.prompts)
    return pd.concat(tables, ignore_index=True)


def _by_relation(study: Study) -> pd.DataFrame:
    groups: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in asked(study).to_dict("records"):
        key = row["probe_set"], row["kind"]
        groups[key] = (*groups.get(key, ()), row["model"])
    keys = ["model", "layer", "relation", "label", "facts"]
    tables = []
    for (probe_set, kind), models in groups.items():
        by_k = {k: relation_measures(study, Question(probe_set, models, kind, k)).set_index(keys) for k in (1, 10, 100)}
        table = pd.DataFrame({f"P@{k}": measures["precision"] for k, measures in by_k.items()})
        tables.append(table.assign(MRR=by_k[1]["mrr"], probe_set=probe_set, kind=kind).reset_index())
    first = ["probe_set", "kind", "model", "layer", "relation", "label", "facts"]
    together = pd.concat(tables, ignore_index=True)
    ordered: pd.DataFrame = together[[*first, *(column for column in together.columns if column not in first)]]
    return ordered


def _listed(names: Names) -> list[str]:
    return [str(name) for name in ([names] if isinstance(names, str | Path) else names)]


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)


def _layers(layers: Layers, depth: int) -> list[int]:
    if isinstance(layers, str | int):
        return parse_layers(str(layers), depth)
    return parse_layers(",".join(map(str, layers)), depth)


def _places(models: Names) -> dict[str, str]:
    """Folder or hub name (with its revision) of each model, by the last part of it."""
    places: dict[str, str] = {}
    for model in _listed(models):
        place = locate(model)
        folder = Path(place.path)
        name = folder.resolve().name if folder.is_dir() else place.path.rsplit("/", 1)[-1]
        if name in places:
            raise BertnesiaError(f"Two of the models are called {name}: rename a folder.")
        if folder.is_dir() and not (folder / "config.json").is_file():
            raise _no_model_in(folder)
        places[name] = str(folder.resolve()) if folder.is_dir() else model
    if not places:
        raise BertnesiaError("Name at least one model.")
    return places


def _no_model_in(folder: Path) -> BertnesiaError:
    below = sorted(path.parent for path in folder.glob("*/config.json"))
    hint = f" There is one in {below[-1]}." if below else ""
    return BertnesiaError(f"There is no model in {folder}: a model's folder holds config.json and weights.{hint}")


def _kinds_of(places: Iterable[str]) -> list[str]:
    """The decoder kinds that all models have, `trained` first and `stock` last."""
    saved = [saved_kinds(Path(place) / "decoders") for place in places]
    return [*(kind for kind in get_args(Kind) if all(kind in kinds for kinds in saved)), "stock"]


@contextmanager
def _results(out: str | Path | None) -> Iterator[Path]:
    """The folder for the results: the one named, or one that goes when it has been read."""
    if out is not None:
        yield Path(out)
        return
    with tempfile.TemporaryDirectory(prefix="bertnesia-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def _gathered(places: dict[str, str]) -> Iterator[Path | None]:
    """One folder with all models that are folders: their own parent, or else links to them."""
    folders = {name: Path(place) for name, place in places.items() if Path(place).is_dir()}
    parents = {folder.parent for folder in folders.values()}
    if len(parents) < 2:
        yield next(iter(parents), None)
        return
    with tempfile.TemporaryDirectory(prefix="bertnesia-", ignore_cleanup_errors=True) as links:
        for name, folder in folders.items():
            (Path(links) / name).symlink_to(folder, target_is_directory=True)
        yield Path(links)
