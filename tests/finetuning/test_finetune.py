"""Fine-tuning from a folder to a folder."""

import json
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForQuestionAnswering,
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    BertForTokenClassification,
)

from bertnesia.errors import BertnesiaError
from bertnesia.files import sha256
from bertnesia.finetuning import finetune as finetuning
from bertnesia.finetuning.finetune import Finetuning, finetune, finetuning_identity
from bertnesia.finetuning.inputs import load_with_new_head
from bertnesia.finetuning.qa import QuestionAnswering
from bertnesia.finetuning.snapshots import snapshot_identity
from bertnesia.finetuning.trainer import Schedule
from bertnesia.models.checkpoints import made_with, read_provenance
from bertnesia.models.encoder import encoder_hash, load_encoder, load_masked_lm
from tests import tiny

SETTINGS = Finetuning(
    max_tokens=32,
    stride=4,
    held_out=0.25,
    epochs=3,
    schedule=Schedule(batch_tokens=64, learning_rate=1e-3, evaluations=3),
)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny.save_masked_lm(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return [tiny.write_squad(tmp_path_factory.mktemp("squad") / "toy.json")]


@pytest.fixture(scope="module")
def tuned(tmp_path_factory, base, data):
    out = tmp_path_factory.mktemp("out") / "qa"
    return out, finetune("qa", str(base), data, out, SETTINGS)


def weights(folder: Path):
    return load_file(folder / "model.safetensors")


def test_the_saved_folder_is_a_plain_model_in_half_precision(tuned, base):
    out, _ = tuned
    model = AutoModelForQuestionAnswering.from_pretrained(out)
    tokenizer = AutoTokenizer.from_pretrained(out)

    assert {tensor.dtype for tensor in weights(out).values()} == {torch.float16}
    assert tokenizer.get_vocab() == AutoTokenizer.from_pretrained(base).get_vocab()
    assert tokenizer.backend_tokenizer.truncation is None
    assert tokenizer.backend_tokenizer.padding is None
    assert model.config.hidden_dropout_prob == 0.1
    # Nothing but the span head is new.
    encoder = {name for name in weights(base) if name.startswith("bert.")}
    assert set(weights(out)) == encoder | {"qa_outputs.weight", "qa_outputs.bias"}


def test_training_moved_every_layer(tuned, base):
    before, after = weights(base), weights(tuned[0])
    kernels = [name for name in before if name.startswith("bert.encoder") and name.endswith("weight")]

    assert all((before[name].half() != after[name]).any() for name in kernels)


def test_provenance_says_what_decided_the_result(tuned, base, data):
    out, provenance = tuned
    (file,) = data

    assert provenance == json.loads((out / "bertnesia.json").read_text())
    assert provenance["objective"] == "qa"
    assert provenance["base"] == encoder_hash(load_masked_lm(str(base))[0])
    assert provenance["base_name"] == "base"
    assert provenance["sources"] == [{"name": "toy.json", "sha256": sha256(file)}]
    assert provenance["settings"]["schedule"]["learning_rate"] == 1e-3
    assert provenance["encoder_hash"] == encoder_hash(load_encoder(str(out)))
    assert provenance["encoder_hash"] != provenance["base"]
    assert set(provenance["versions"]) == {"python", "torch", "transformers"}
    # Six questions of 15 tokens each: four in a batch, two batches an epoch.
    assert provenance["training_examples"] == 6
    assert provenance["steps"] == 6
    assert [entry["step"] for entry in provenance["history"]] == [0, 2, 4, 6]
    assert provenance["history"][-1]["questions"] == 2
    assert str(base) not in (out / "bertnesia.json").read_text()


def test_identity_knows_the_base_by_its_weights_and_the_data_by_their_bytes(tmp_path, tuned, base, data):
    identity = finetuning_identity("qa", str(base), data, SETTINGS)
    copy = tiny.save_masked_lm(tmp_path / "elsewhere")
    other = tiny.save_masked_lm(tmp_path / "base", seed=1)
    changed = tmp_path / "toy.json"
    changed.write_text(data[0].read_text() + " ")

    assert made_with(tuned[0], identity)
    assert finetuning_identity("qa", str(copy), data, SETTINGS) == identity
    assert not made_with(tuned[0], finetuning_identity("qa", str(other), data, SETTINGS))
    assert not made_with(tuned[0], finetuning_identity("qa", str(base), [changed], SETTINGS))
    more = SETTINGS.model_copy(update={"epochs": 4})
    assert not made_with(tuned[0], finetuning_identity("qa", str(base), data, more))


def test_the_same_seed_gives_the_same_weights_and_another_one_others(tmp_path, tuned, base, data):
    finetune("qa", str(base), data, tmp_path / "again", SETTINGS)
    reseeded = SETTINGS.model_copy(update={"schedule": SETTINGS.schedule.model_copy(update={"seed": 1})})
    finetune("qa", str(base), data, tmp_path / "other", reseeded)

    assert sha256(tmp_path / "again" / "model.safetensors") == sha256(tuned[0] / "model.safetensors")
    assert sha256(tmp_path / "other" / "model.safetensors") != sha256(tuned[0] / "model.safetensors")


@pytest.mark.parametrize("moment", ["training", "saving"])
def test_a_killed_run_leaves_no_folder_and_resumes_to_the_same_weights(
    tmp_path, tuned, base, data, monkeypatch, moment
):
    evaluate, calls = QuestionAnswering.evaluate, iter([False, False, True])

    def die(*args, **kwargs):
        raise KeyboardInterrupt

    def die_at_the_third_call(*args):
        return die() if next(calls) else evaluate(*args)

    out = tmp_path / "qa"
    with monkeypatch.context() as patch:
        if moment == "saving":
            patch.setattr("bertnesia.models.checkpoints.write_json", die)
        else:
            patch.setattr(QuestionAnswering, "evaluate", die_at_the_third_call)
        with pytest.raises(KeyboardInterrupt):
            finetune("qa", str(base), data, out, SETTINGS)
    assert not out.exists()
    provenance = finetune("qa", str(base), data, out, SETTINGS)

    assert sha256(out / "model.safetensors") == sha256(tuned[0] / "model.safetensors")
    assert provenance["history"] == tuned[1]["history"]
    assert [path.name for path in tmp_path.iterdir()] == ["qa"]


def test_models_on_the_way_are_kept(tmp_path, tuned, base, data):
    keep = {0.5: tmp_path / "half", 1.0: tmp_path / "all"}
    provenance = finetune("qa", str(base), data, tmp_path / "qa", SETTINGS, keep=keep)
    identity = finetuning_identity("qa", str(base), data, SETTINGS)

    assert made_with(keep[0.5], snapshot_identity(identity, 0.5) | {"step": 3, "steps": 6})
    assert sha256(keep[1.0] / "model.safetensors") == sha256(tuned[0] / "model.safetensors")
    assert sha256(keep[0.5] / "model.safetensors") != sha256(tuned[0] / "model.safetensors")
    assert provenance["encoder_hash"] == tuned[1]["encoder_hash"]


def test_steps_may_be_given(tmp_path, base, data):
    schedule = SETTINGS.schedule.model_copy(update={"steps": 3, "evaluations": 1})
    settings = SETTINGS.model_copy(update={"epochs": None, "schedule": schedule})

    assert finetune("qa", str(base), data, tmp_path / "qa", settings)["steps"] == 3


def test_dropout_is_the_bases_unless_given_and_the_saved_rates_stay(tmp_path, base, data, monkeypatch):
    rates = []
    real = finetuning.train

    def spy(model, *args, **kwargs):
        rates.append({m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)})
        return real(model, *args, **kwargs)

    monkeypatch.setattr(finetuning, "train", spy)
    for name, dropout in (("as-it-is", None), ("none", 0.0)):
        settings = SETTINGS.model_copy(update={"epochs": 1, "dropout": dropout})
        finetune("qa", str(base), data, tmp_path / name, settings)

    assert rates == [{0.1}, {0.0}]
    assert BertConfig.from_pretrained(tmp_path / "none").hidden_dropout_prob == 0.1
    assert "dropout" not in read_provenance(tmp_path / "as-it-is")["settings"]
    assert read_provenance(tmp_path / "none")["settings"]["dropout"] == 0.0
    assert Finetuning.model_validate(SETTINGS.model_dump()) == SETTINGS


def test_unanswerable_questions_can_be_left_out(tmp_path, base):
    squad = json.loads(tiny.write_squad(tmp_path / "squad.json").read_text())
    for article in squad["data"]:
        vain = {"id": "v", "question": "who is arlo ?", "answers": [], "is_impossible": True}
        article["paragraphs"][0]["qas"].append(vain)
    (tmp_path / "squad.json").write_text(json.dumps(squad))
    settings = SETTINGS.model_copy(update={"epochs": 1})
    all_of_them = finetune("qa", str(base), [tmp_path / "squad.json"], tmp_path / "all", settings)
    settings = settings.model_copy(update={"answerable_only": True})
    answerable = finetune("qa", str(base), [tmp_path / "squad.json"], tmp_path / "some", settings)

    assert all_of_them["training_examples"] == 12
    assert all_of_them["history"][-1]["questions"] == 4
    assert answerable["training_examples"] == 6
    assert answerable["history"][-1]["questions"] == answerable["history"][-1]["answerable"] == 2


def test_a_new_head_is_drawn_from_the_seed_and_an_old_one_kept(tuned, base):
    heads = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        heads.append(load_with_new_head(AutoModelForQuestionAnswering, str(base)).qa_outputs.weight)
    kept = load_with_new_head(AutoModelForQuestionAnswering, str(tuned[0])).qa_outputs.weight

    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])
    assert torch.equal(kept, weights(tuned[0])["qa_outputs.weight"].float())


def test_a_base_with_a_pooler_or_another_head_will_do(tmp_path, base):
    language = BertForMaskedLM.from_pretrained(base)
    other = BertForTokenClassification(language.config)
    other.bert.load_state_dict(language.bert.state_dict())
    other.save_pretrained(tmp_path / "labels")
    tensors = {
        **weights(base),
        "bert.pooler.dense.weight": torch.ones(32, 32),
        "bert.pooler.dense.bias": torch.ones(32),
    }
    (tmp_path / "pooled").mkdir()
    save_file(tensors, tmp_path / "pooled" / "model.safetensors", {"format": "pt"})
    language.config.save_pretrained(tmp_path / "pooled")

    for name in ("labels", "pooled"):
        model = load_with_new_head(AutoModelForQuestionAnswering, str(tmp_path / name))
        assert encoder_hash(model) == encoder_hash(language)


def test_bad_input_is_told_in_a_sentence_and_leaves_nothing(tmp_path, tuned, base, data):
    def refused(sentence, objective="qa", base=str(base), data=data, out=tmp_path / "out", settings=SETTINGS):
        with pytest.raises(BertnesiaError, match=sentence):
            finetune(objective, base, data, out, settings)
        assert out == tuned[0] or not out.exists()

    refused("no objective 'ga'; there are: .*qa", objective="ga")
    refused("already exists: delete it", out=tuned[0])
    refused("no model folder", base=str(tmp_path / "nowhere"))
    refused(r"Cannot read .*missing.json", data=[tmp_path / "missing.json"])
    refused("reads at most 64 tokens", settings=SETTINGS.model_copy(update={"max_tokens": 65}))

    lacking = tmp_path / "lacking"
    lacking.mkdir()
    BertForMaskedLM.from_pretrained(base).config.save_pretrained(lacking)
    AutoTokenizer.from_pretrained(base).save_pretrained(lacking)
    tensors = {k: v for k, v in weights(base).items() if ".layer.1." not in k}
    save_file(tensors, lacking / "model.safetensors", {"format": "pt"})
    refused("lacks 16 encoder weights", base=str(lacking))


def test_an_unfinished_run_with_other_settings_is_refused(tmp_path, base, data):
    (tmp_path / ".qa.training").mkdir()
    (tmp_path / ".qa.training" / "run.json").write_text('{"identity": "of something else"}')

    with pytest.raises(BertnesiaError, match="other settings or data"):
        finetune("qa", str(base), data, tmp_path / "qa", SETTINGS)


def test_a_schedule_given_in_part_keeps_the_other_defaults_of_fine_tuning():
    default = Finetuning().schedule
    settings = Finetuning.model_validate({"schedule": {"seed": 3}})

    assert settings.schedule == default.model_copy(update={"seed": 3})
    assert settings.schedule.learning_rate == 1e-4


@pytest.mark.parametrize("wrong", [{"stride": 16}, {"held_out": 1}, {"epochs": 0}, {"learning_rate": 1}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValidationError):
        Finetuning(**{"max_tokens": 32, "stride": 4, **wrong})
