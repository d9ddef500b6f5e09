"""When is it forgotten? A fine-tuning run is probed at points on its way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict
from transformers import PreTrainedModel

from bertnesia.corpora import Corpus
from bertnesia.errors import BertnesiaError
from bertnesia.files import read_json, write_json
from bertnesia.finetuning.finetune import Moment, OnTheWay
from bertnesia.finetuning.snapshots import step_at
from bertnesia.models.decoder_training import DecoderTraining, decoder_identity, train_decoders
from bertnesia.models.decoders import Decoders, load_decoders, read_decoder_config
from bertnesia.models.encoder import body, encoder_hash, vocabulary_hash
from bertnesia.models.layered import LayeredModel
from bertnesia.probes.facts import Fact
from bertnesia.probing.run import Asked, probe_to_parts

TrainDecoders = Callable[[str, PreTrainedModel], Decoders]
"""Trains decoders for an encoder of this name, or finds those that were trained before."""


class ProbedStep(BaseModel):
    """A model on the way that has been probed; `ranks` and `predictions` are names of parts in the folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    variant_of: str
    step: int
    steps: int
    encoder_hash: str
    kinds: tuple[str, ...]
    ranks: tuple[str, ...]
    predictions: tuple[str, ...]


def probe_on_the_way(
    sibling: str,
    base: LayeredModel,
    decoders: Mapping[str, Decoders],
    asked: Sequence[Asked],
    folder: Path,
    shares: Sequence[float],
    *,
    train_at: Sequence[float] = (),
    train: TrainDecoders | None = None,
) -> OnTheWay:
    """What `finetune` takes to probe all layers of a sibling, called `SIBLING@STEP`, at these shares of its run.

    The layers are asked with `decoders`, by kind (the base's trained ones are kind `base`), and at `train_at` with
    newly trained ones of kind `trained`, too. Ranks and predictions go to `folder` as parts, and beside them a record
    of each step; what a run that was killed has probed already is not probed again.

    Raises:
        BertnesiaError: if decoders are to be trained at a point that is not probed.
    """
    if stray := sorted(set(train_at) - set(shares)):
        raise BertnesiaError(f"Decoders are to be trained at {stray[0]:.4%} of the run, where it is not probed.")

    def show(moment: Moment) -> None:
        name = f"{sibling}@{moment.step}"
        encoder = body(moment.model)
        kinds = dict(decoders)
        if train and any(moment.is_at(share) for share in train_at):
            kinds["trained"] = train(name, encoder)
        parts = probe_to_parts(name, replace(base, encoder=encoder, decoders=kinds), asked, folder)
        record = ProbedStep(
            model=name,
            variant_of=sibling,
            step=moment.step,
            steps=moment.steps,
            encoder_hash=encoder_hash(encoder),
            kinds=tuple(kinds),
            ranks=tuple(path.name for path in parts.ranks),
            predictions=tuple(path.name for path in parts.predictions),
        )
        write_json(folder / f"{name}.json", record.model_dump())

    return OnTheWay(tuple(shares), show)


def new_decoders(
    base: LayeredModel, corpus: Corpus, facts_left_out: Sequence[Fact], folder: Path, settings: DecoderTraining
) -> TrainDecoders:
    """Trains decoders of models on the way as those of finished models are trained, into a folder each."""

    def train(name: str, encoder: PreTrainedModel) -> Decoders:
        out = folder / name / "trained"
        identity = decoder_identity(encoder, base.tokenizer, base.stock, corpus, facts_left_out, settings)
        if not (out / "config.json").exists():
            train_decoders(encoder, base.tokenizer, base.stock, corpus, facts_left_out, out, settings)
        elif read_decoder_config(out).identity() != identity:
            raise BertnesiaError(f"{out} was made with other settings or data: delete it.")
        return load_decoders(out, base.stock, encoder_hash(encoder), vocabulary_hash(base.tokenizer))

    return train


def read_steps(folder: Path, sibling: str, steps: int, shares: Sequence[float]) -> list[ProbedStep]:
    """The probed steps of a sibling's run of `steps` steps at these shares of it, first steps first.

    What runs of another length, or probed at other points, have left in the folder is none of it.
    """
    points = {step_at(share, steps) for share in shares}
    records = [ProbedStep.model_validate(read_json(path)) for path in folder.glob(f"{sibling}@*.json")]
    mine = [record for record in records if record.steps == steps and record.step in points]
    return sorted(mine, key=lambda record: record.step)


def precision_by_step(folder: Path, records: Sequence[ProbedStep], asked: Sequence[Asked], k: int = 1) -> pd.DataFrame:
    """P@k of every probed step and layer, a mean over relations: columns probe_set, kind, step, layer, value."""
    relations = pd.DataFrame(
        [(p.fact, one.probe_set.name, p.relation) for one in asked for p in one.prompts],
        columns=["fact", "probe_set", "relation"],
    )
    tables = []
    for record in records:
        for part in record.ranks:
            ranks = pq.read_table(folder / part, columns=["kind", "layer", "fact", "rank"]).to_pandas()
            tables.append(ranks.assign(step=record.step))
    ranks = pd.concat(tables).merge(relations, on="fact")
    ranks["value"] = (ranks["rank"] <= k).astype(float)
    keys = ["probe_set", "kind", "step", "layer"]
    by_relation = ranks.groupby([*keys, "relation"], as_index=False)["value"].mean()
    means: pd.DataFrame = by_relation.groupby(keys, as_index=False)["value"].mean()
    return means
