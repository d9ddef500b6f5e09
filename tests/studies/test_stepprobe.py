"""A fine-tuning run that is probed on its way."""

import json

import pyarrow.parquet as pq
import pytest

from bertnesia.corpora import read_corpus
from bertnesia.errors import BertnesiaError
from bertnesia.files import sha256, write_json
from bertnesia.finetuning.finetune import Finetuning, finetune
from bertnesia.finetuning.qa import QuestionAnswering
from bertnesia.finetuning.trainer import Schedule
from bertnesia.models.decoder_training import DecoderTraining
from bertnesia.models.decoders import Decoders
from bertnesia.models.encoder import encoder_hash, load_encoder
from bertnesia.models.layered import load_layered
from bertnesia.probes import read_probe_sets
from bertnesia.probing.run import ask, probe_to_parts
from bertnesia.studies.stepprobe import new_decoders, precision_by_step, probe_on_the_way, read_steps
from tests import tiny

SETTINGS = Finetuning(
    max_tokens=32,
    stride=4,
    held_out=0.25,
    epochs=None,
    schedule=Schedule(steps=8, batch_tokens=64, learning_rate=2e-3, evaluations=4),
)
DECODERS = DecoderTraining(
    max_tokens=32,
    decoder_share=0.4,
    validation_share=0.2,
    schedule=Schedule(steps=3, learning_rate=1e-3, evaluations=1),
)
SHARES = (0.1, 0.6, 1.0)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    base = tiny.save_masked_lm(folder / "base", layers=2)
    model = load_layered(str(base), None, ["stock"])
    asked = ask(read_probe_sets(["trex"], tiny.write_lama(folder / "lama")), model)
    return base, model, asked, [tiny.write_squad(folder / "toy.json")], read_corpus([tiny.write_text(folder / "t.txt")])


def run(world, folder, sibling="qa"):
    base, model, asked, data, corpus = world
    kinds = {"base": Decoders("base", model.decoders["stock"].heads)}
    facts = [fact for one in asked for fact in one.probe_set.facts][:1]
    train = new_decoders(model, corpus, facts, folder / "steps" / "decoders", DECODERS)
    on_the_way = probe_on_the_way(
        sibling, model, kinds, asked, folder / "steps", SHARES, train_at=(0.6, 1.0), train=train
    )
    return finetune("qa", str(base), data, folder / sibling, SETTINGS, on_the_way)


@pytest.fixture(scope="module")
def probed(tmp_path_factory, world):
    folder = tmp_path_factory.mktemp("probed")
    return folder, run(world, folder)


def steps_in(folder):
    return read_steps(folder, "qa", SETTINGS.schedule.steps, SHARES)


def ranks(folder, record):
    return [pq.read_table(folder / "steps" / part) for part in record.ranks]


def test_every_point_has_its_record(probed, world):
    folder, provenance = probed
    records = steps_in(folder / "steps")

    assert [(r.model, r.variant_of, r.step, r.steps) for r in records] == [
        ("qa@1", "qa", 1, 8),
        ("qa@5", "qa", 5, 8),
        ("qa@8", "qa", 8, 8),
    ]
    assert [r.kinds for r in records] == [("base",), ("base", "trained"), ("base", "trained")]
    assert records[-1].encoder_hash == provenance["encoder_hash"] == encoder_hash(load_encoder(str(folder / "qa")))
    assert len({r.encoder_hash for r in records}) == 3
    for record in records:
        (table,) = ranks(folder, record)
        assert set(table["model"].to_pylist()) == {record.model}
        assert set(table["kind"].to_pylist()) == set(record.kinds)
        assert len(table) == len(record.kinds) * 2 * len(world[2][0].prompts)


def test_what_another_run_left_is_not_its_own(probed, tmp_path):
    """A shorter run under the same name, and a run that was probed at another point."""
    for source in (probed[0] / "steps").glob("qa@*.json"):
        record = json.loads(source.read_text())
        write_json(tmp_path / source.name, record)
    write_json(tmp_path / "qa@4.json", {**record, "model": "qa@4", "step": 4, "steps": 4})
    write_json(tmp_path / "qa@3.json", {**record, "model": "qa@3", "step": 3})
    assert steps_in(tmp_path) == steps_in(probed[0] / "steps")
    assert [one.step for one in read_steps(tmp_path, "qa", 4, (1.0,))] == [4]


def test_probing_changes_nothing_about_the_run(probed, world, tmp_path):
    base, _, _, data, _ = world
    finetune("qa", str(base), data, tmp_path / "plain", SETTINGS)

    assert sha256(tmp_path / "plain" / "model.safetensors") == sha256(probed[0] / "qa" / "model.safetensors")


def test_the_last_step_has_the_ranks_of_the_saved_model(probed, world, tmp_path):
    folder, _ = probed
    base, _, asked, *_ = world
    saved = load_layered(str(folder / "qa"), str(base), ["stock"])
    parts = probe_to_parts("qa@8", saved, asked, tmp_path)
    (table,) = ranks(folder, steps_in(folder / "steps")[-1])
    own = table.to_pandas().query("kind == 'base'").drop(columns="kind").reset_index(drop=True)
    theirs = pq.read_table(parts.ranks[0]).to_pandas().drop(columns="kind")

    assert own.equals(theirs)


@pytest.mark.parametrize("moment", ["evaluating", "probing"])
def test_a_killed_run_ends_with_the_same_ranks(probed, world, tmp_path, monkeypatch, moment):
    class Killed(BaseException):
        pass

    evaluate, count = QuestionAnswering.evaluate, iter(range(99))

    def die_at_the_fourth(*args):
        if next(count) == 3:
            raise Killed
        return evaluate(*args)

    def die(*args):
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        if moment == "evaluating":
            patch.setattr(QuestionAnswering, "evaluate", die_at_the_fourth)
        else:
            patch.setattr("bertnesia.models.decoder_training.save_decoders", die)
        run(world, tmp_path)
    assert not (tmp_path / "qa").exists()
    done = {path: path.stat().st_mtime_ns for path in (tmp_path / "steps").glob("*.parquet")}
    assert done
    run(world, tmp_path)

    assert all(path.stat().st_mtime_ns == when for path, when in done.items())
    whole, again = steps_in(probed[0] / "steps"), steps_in(tmp_path / "steps")
    assert whole == again
    for one, other in zip(whole, again, strict=True):
        assert ranks(probed[0], one)[0].equals(ranks(tmp_path, other)[0])


def test_precision_by_step_against_a_slow_count(probed, world):
    folder, _ = probed
    _, _, (asked,), *_ = world
    found = precision_by_step(folder / "steps", steps_in(folder / "steps"), [asked], k=3)
    relation = {prompt.fact: prompt.relation for prompt in asked.prompts}
    (table,) = ranks(folder, steps_in(folder / "steps")[1])
    hits = {}
    for row in table.to_pylist():
        if row["kind"] == "trained" and row["layer"] == 2:
            hits.setdefault(relation[row["fact"]], []).append(row["rank"] <= 3)
    expected = sum(sum(one) / len(one) for one in hits.values()) / len(hits)

    assert len(found) == 2 * 3 + 2 * 2  # two layers: three points with the base's decoders, two with new ones
    (value,) = found.query("kind == 'trained' and step == 5 and layer == 2")["value"]
    assert value == pytest.approx(expected)


def test_decoders_are_trained_only_where_it_is_probed(world, tmp_path):
    _, model, asked, *_ = world
    with pytest.raises(BertnesiaError, match=r"trained at 50.0000% of the run, where it is not probed"):
        probe_on_the_way("qa", model, {}, asked, tmp_path, (0.1,), train_at=(0.5,))
