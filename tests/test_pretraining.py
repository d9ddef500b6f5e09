"""A base model from nothing, and from the body of another model."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForMaskedLM, AutoTokenizer, BertConfig, BertForMaskedLM, BertModel, pipeline

from bertnesia import pretraining
from bertnesia.corpora import read_corpus, split_corpus
from bertnesia.errors import BertnesiaError
from bertnesia.files import sha256
from bertnesia.finetuning.snapshots import folder_at, read_shares, snapshot_identity, step_at
from bertnesia.finetuning.trainer import Schedule
from bertnesia.models.checkpoints import made_with
from bertnesia.models.encoder import encoder_hash
from bertnesia.models.heads import head_norm, output_bias
from bertnesia.models.vocabulary import count_tokens, log_frequencies
from bertnesia.pretraining import LongStage, Pretraining, pretrain, pretraining_identity
from tests import tiny

SETTINGS = Pretraining(
    vocabulary_size=90,
    max_tokens=32,
    decoder_share=0.1,
    validation_share=0.1,
    hidden_size=32,
    layers=2,
    schedule=Schedule(steps=80, batch_tokens=512, learning_rate=1e-2, evaluations=2),
)
BRIEF = SETTINGS.model_copy(update={"schedule": SETTINGS.schedule.model_copy(update={"steps": 2, "evaluations": 1})})


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """The person gives the town away, and the town the land."""
    path = tmp_path_factory.mktemp("text") / "towns.txt"
    path.write_text(
        "".join(
            f"{person} was born in the town of {tiny.town_of(person)} and lives in {town} , {tiny.land_of(town)} .\n"
            for person in tiny.PEOPLE
            for town in tiny.TOWNS
        )
    )
    return read_corpus([path])


def save_body(folder: Path, **options) -> Path:
    """An encoder without a head, as sentence-embedding models are saved; its tokenizer cuts and pads."""
    words = tiny.tokenizer()
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    torch.manual_seed(0)
    BertModel(config, **options).save_pretrained(folder)
    words(["anna", "anna lives in arlo"], truncation=True, max_length=4, padding=True)
    words.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def body(tmp_path_factory):
    return save_body(tmp_path_factory.mktemp("models") / "body")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, corpus, body):
    out = tmp_path_factory.mktemp("out") / "mini"
    return out, pretrain(corpus, out, SETTINGS, str(body))


def test_it_learns(trained):
    history = trained[1]["history"]

    assert [entry["step"] for entry in history] == [0, 40, 80]
    assert history[-1]["loss"] < 0.6 * history[0]["loss"]
    assert history[-1]["accuracy"] > history[0]["accuracy"]


def test_the_saved_folder_is_a_plain_model_in_half_precision(trained):
    out, _ = trained
    tensors = load_file(out / "model.safetensors")
    model = AutoModelForMaskedLM.from_pretrained(out)

    assert type(model) is BertForMaskedLM
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    assert model.config.vocab_size == 90
    assert (model.config.hidden_dropout_prob, model.config.attention_probs_dropout_prob) == (0.1, 0.1)
    assert not any("pooler" in name for name in tensors)
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
    (best, *_) = pipeline("fill-mask", model=str(out))("anna lives in [MASK] .")
    assert best["token_str"] in tiny.vocabulary()


def test_the_saved_tokenizer_neither_cuts_nor_pads(trained, body):
    out, _ = trained
    assert AutoTokenizer.from_pretrained(body).backend_tokenizer.truncation is not None  # what it was started from
    tokenizer = AutoTokenizer.from_pretrained(out)

    assert tokenizer.backend_tokenizer.truncation is None
    assert tokenizer.backend_tokenizer.padding is None
    assert [len(ids) for ids in tokenizer(["anna", "anna lives in arlo ."])["input_ids"]] == [3, 7]
    assert tokenizer.model_max_length == 64
    assert len(tokenizer) == 90


def test_provenance(trained, corpus, body):
    out, provenance = trained
    saved = json.loads((out / "bertnesia.json").read_text())
    (source,) = corpus.sources

    assert saved["objective"] == "mlm"
    assert saved["started_from"] == "body"
    assert saved["sources"] == [{"name": "towns.txt", "sha256": source.sha256, "passages": len(corpus.passages)}]
    assert saved["settings"] == json.loads(SETTINGS.model_dump_json())
    assert saved["history"] == provenance["history"]
    assert saved["encoder_hash"] == encoder_hash(BertForMaskedLM.from_pretrained(out))
    assert saved["training_tokens"] == sum(
        len(AutoTokenizer.from_pretrained(out)(p.text)["input_ids"])
        for p in split_corpus(corpus.passages, 0.1, 0.1).base
    )
    assert made_with(out, pretraining_identity(corpus, SETTINGS, str(body)))
    assert not made_with(out, pretraining_identity(corpus, BRIEF, str(body)))
    assert not made_with(out, pretraining_identity(corpus, SETTINGS, None))


@pytest.fixture
def untrained(monkeypatch):
    """Models as they are when training starts."""
    seen = []

    def note(model, objective, *_, **__):
        seen.append((model, objective))
        return []

    monkeypatch.setattr(pretraining, "train", note)
    return seen


def test_pruning_keeps_each_token_with_its_row_and_the_body_as_it_was(tmp_path, corpus, body, untrained):
    out = tmp_path / "out"
    pretrain(corpus, out, SETTINGS, str(body))
    old = BertModel.from_pretrained(body)
    new = BertForMaskedLM.from_pretrained(out, dtype=torch.float32)
    before, after = AutoTokenizer.from_pretrained(body), AutoTokenizer.from_pretrained(out)

    assert len(before) > len(after) == 90
    for token, i in after.get_vocab().items():
        row = old.get_input_embeddings().weight[before.get_vocab()[token]]
        assert torch.equal(new.get_input_embeddings().weight[i], row.half().float())
    assert {t for t in before.get_vocab() if len(t.removeprefix("##")) == 1} <= set(after.get_vocab())
    assert new.config.pad_token_id == new.get_input_embeddings().padding_idx == after.pad_token_id
    for name, tensor in new.bert.state_dict().items():
        if "word_embeddings" not in name:
            assert torch.equal(tensor, old.state_dict()[name].half().float()), name


def test_a_new_head_starts_from_the_words_frequencies(tmp_path, corpus, body, untrained):
    out = tmp_path / "out"
    pretrain(corpus, out, SETTINGS, str(body))
    model, tokenizer = BertForMaskedLM.from_pretrained(out, dtype=torch.float32), AutoTokenizer.from_pretrained(out)
    text = split_corpus(corpus.passages, 0.1, 0.1).base
    expected = torch.from_numpy(log_frequencies(count_tokens(text, tokenizer), tokenizer)).float()

    torch.testing.assert_close(output_bias(model).data, expected, atol=0.01, rtol=0)
    torch.testing.assert_close(head_norm(model).data, torch.full((32,), 0.3), atol=1e-3, rtol=0)
    assert output_bias(model)[tokenizer.mask_token_id] == -12


def test_a_head_of_its_own_is_kept(tmp_path, corpus, untrained):
    start = tiny.save_masked_lm(tmp_path / "start")
    pretrain(corpus, tmp_path / "out", SETTINGS, str(start))
    old, new = (BertForMaskedLM.from_pretrained(path, dtype=torch.float32) for path in (start, tmp_path / "out"))
    before, after = (AutoTokenizer.from_pretrained(path) for path in (start, tmp_path / "out"))
    rows = [before.get_vocab()[after.convert_ids_to_tokens(i)] for i in range(len(after))]

    assert torch.equal(output_bias(new), output_bias(old)[rows].half().float())
    assert torch.equal(head_norm(new), head_norm(old).half().float())


def test_the_whole_vocabulary_can_be_kept(tmp_path, corpus, body, untrained):
    pretrain(corpus, tmp_path / "out", SETTINGS.model_copy(update={"vocabulary_size": 0}), str(body))
    before, after = (AutoTokenizer.from_pretrained(path) for path in (body, tmp_path / "out"))

    assert after.get_vocab() == before.get_vocab()
    assert after.backend_tokenizer.truncation is None
    assert after.backend_tokenizer.padding is None


def test_a_pooler_makes_no_difference(tmp_path, corpus, body, untrained):
    bare = save_body(tmp_path / "bare", add_pooling_layer=False)
    weights = load_file(body / "model.safetensors")
    save_file({k: v for k, v in weights.items() if "pooler" not in k}, bare / "model.safetensors", {"format": "pt"})
    assert len(load_file(bare / "model.safetensors")) == len(weights) - 2
    for name, start in (("one", body), ("other", bare)):
        pretrain(corpus, tmp_path / name, SETTINGS, str(start))

    assert sha256(tmp_path / "one" / "model.safetensors") == sha256(tmp_path / "other" / "model.safetensors")


def test_dropout_is_off_while_training(tmp_path, corpus, body, untrained):
    pretrain(corpus, tmp_path / "out", SETTINGS, str(body))
    ((model, _),) = untrained

    assert {m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)} == {0.0}


def test_dropout_can_be_given_and_the_saved_rates_stay(tmp_path, corpus, body, untrained):
    pretrain(corpus, tmp_path / "out", SETTINGS.model_copy(update={"dropout": 0.05}), str(body))
    ((model, _),) = untrained

    assert {m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)} == {0.05}
    assert BertConfig.from_pretrained(tmp_path / "out").hidden_dropout_prob == 0.1


def test_short_forms_of_training_sentences_alone_are_read_too(tmp_path, body, untrained):
    path = tmp_path / "towns.txt"
    path.write_text(
        "".join(f"{t.title()} is a town in {tiny.land_of(t)} , the town of anna .\n" for t in tiny.TOWNS * 8)
    )
    path.write_text(
        path.read_text() + "".join(f"{a} and {b} lives in arlo .\n" for a in tiny.PEOPLE for b in tiny.TOWNS)
    )
    text = read_corpus([path])
    pretrain(text, tmp_path / "out", SETTINGS.model_copy(update={"short": 1.0, "vocabulary_size": 0}), str(body))
    ((_, objective),) = untrained
    words = tiny.tokenizer()
    split = split_corpus(text.passages, 0.1, 0.1)
    short = [p.text.split(" ,")[0] + " ." for p in split.base if "the town of anna" in p.text]

    assert short
    assert objective.train == [words(one)["input_ids"] for one in [*(p.text for p in split.base), *short]]
    assert objective.validation == [words(passage.text)["input_ids"] for passage in split.validation]


LONG = LongStage(max_tokens=48, schedule=Schedule(steps=4, batch_tokens=512, learning_rate=1e-3, evaluations=1))


def test_a_second_stage_reads_long_windows_beside_what_the_first_read(tmp_path, corpus, body, untrained):
    settings = BRIEF.model_copy(update={"long": LONG, "vocabulary_size": 0})
    provenance = pretrain(corpus, tmp_path / "out", settings, str(body))
    (_, first), (model, second) = untrained
    words, split = tiny.tokenizer(), split_corpus(corpus.passages, 0.1, 0.1)
    text = [token for passage in split.base for token in words(passage.text, add_special_tokens=False)["input_ids"]]
    windows = second.train[len(first.train) :]

    assert second.train[: len(first.train)] == first.train
    assert second.validation == first.validation
    assert [token for window in windows for token in window[1:-1]] == text, "all of it, in its order"
    assert max(map(len, windows)) <= 48 < 2 * len(windows[0])
    assert {m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)} == {0.0}
    assert provenance["settings"]["long"]["schedule"]["steps"] == 4
    assert "long" not in BRIEF.model_dump(), "what older bases were made with is unchanged"


def test_a_second_stage_starts_from_what_the_first_would_save_and_survives_a_kill(
    tmp_path, trained, corpus, body, monkeypatch
):
    settings = SETTINGS.model_copy(update={"long": LONG})
    provenance = pretrain(corpus, tmp_path / "whole", settings, str(body))
    assert [scores["step"] for scores in provenance["history"]] == [0, 40, 80, 84]
    evaluate, calls = pretraining.MaskedLanguageModelling.evaluate, iter([False] * 4 + [True])
    starts = []

    def die(objective, model):
        starts.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
        if next(calls):
            raise KeyboardInterrupt
        return evaluate(objective, model)

    with monkeypatch.context() as patch:
        patch.setattr(pretraining.MaskedLanguageModelling, "evaluate", die)
        with pytest.raises(KeyboardInterrupt):
            pretrain(corpus, tmp_path / "mini", settings, str(body))
    saved = load_file(trained[0] / "model.safetensors")
    assert all(torch.equal(starts[3][name], tensor.float()) for name, tensor in saved.items())
    pretrain(corpus, tmp_path / "mini", settings, str(body))

    assert sha256(tmp_path / "mini" / "model.safetensors") == sha256(tmp_path / "whole" / "model.safetensors")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mini", "whole"]


def test_embeddings_and_head_may_learn_faster(tmp_path, corpus, body, monkeypatch):
    given = {}
    monkeypatch.setattr(pretraining, "train", lambda *_, rates, visits: given.update(rates) or [])
    pretrain(corpus, tmp_path / "out", SETTINGS.model_copy(update={"head_rate": 3.0}), str(body))

    assert set(given.values()) == {3.0}
    assert {"bert.embeddings.word_embeddings.weight", "cls.predictions.transform.dense.weight"} < set(given)
    assert not any(name.startswith("bert.encoder") for name in given)


def test_models_on_the_way_are_kept_and_survive_a_kill(tmp_path, trained, corpus, body, monkeypatch):
    keep = {share: tmp_path / f"mini-at-{share}" for share in (0.05, 0.7, 1.0)}
    evaluate, calls = pretraining.MaskedLanguageModelling.evaluate, iter([False, False, True])

    def die(*args):
        if next(calls):
            raise KeyboardInterrupt
        return evaluate(*args)

    with monkeypatch.context() as patch:
        patch.setattr(pretraining.MaskedLanguageModelling, "evaluate", die)
        with pytest.raises(KeyboardInterrupt):
            pretrain(corpus, tmp_path / "mini", SETTINGS, str(body), keep)
    kept = {path.name: sha256(path / "model.safetensors") for path in tmp_path.glob("mini-at-*")}
    provenance = pretrain(corpus, tmp_path / "mini", SETTINGS, str(body), keep)
    identity = pretraining_identity(corpus, SETTINGS, str(body))

    assert sorted(kept) == ["mini-at-0.05", "mini-at-0.7", "mini-at-1.0"]
    assert kept == {path.name: sha256(path / "model.safetensors") for path in tmp_path.glob("mini-at-*")}
    assert (
        kept["mini-at-1.0"]
        == sha256(trained[0] / "model.safetensors")
        == sha256(tmp_path / "mini" / "model.safetensors")
    )
    assert len(set(kept.values())) == 3
    assert provenance["history"] == trained[1]["history"]
    assert made_with(keep[0.05], snapshot_identity(identity, 0.05) | {"step": 4, "steps": 80})
    (tmp_path / "mini").rename(tmp_path / "old")
    with pytest.raises(BertnesiaError, match=r"mini-at-0.05 was made with other settings"):
        pretrain(corpus, tmp_path / "mini", SETTINGS.model_copy(update={"masked": 0.3}), str(body), keep)


def test_a_folder_to_start_from_is_known_by_its_weights_wherever_it_lies(tmp_path, corpus, body):
    identity = pretraining_identity(corpus, SETTINGS, str(body))
    shutil.copytree(body, tmp_path / "a" / "body")
    shutil.copytree(body, tmp_path / "b" / "body")
    tensors = load_file(body / "model.safetensors")
    tensors["encoder.layer.1.output.dense.bias"] += 1e-3
    save_file(tensors, tmp_path / "b" / "body" / "model.safetensors", {"format": "pt"})

    assert pretraining_identity(corpus, SETTINGS, str(tmp_path / "a" / "body")) == identity
    assert pretraining_identity(corpus, SETTINGS, str(tmp_path / "b" / "body")) != identity
    assert str(tmp_path) not in json.dumps(identity)
    assert pretraining_identity(corpus, SETTINGS, "package:some/model")["started_from"] == "package:some/model"


def test_a_folder_with_a_head_is_known_by_its_head_too(tmp_path, corpus):
    start = tiny.save_masked_lm(tmp_path / "start")
    identity = pretraining_identity(corpus, SETTINGS, str(start))
    tensors = load_file(start / "model.safetensors")
    tensors["cls.predictions.bias"] += 1e-3
    save_file(tensors, start / "model.safetensors", {"format": "pt"})

    assert pretraining_identity(corpus, SETTINGS, str(start)) != identity


def test_held_out_sentences_come_from_the_whole_text_and_none_from_training(tmp_path, corpus, body, untrained):
    few = SETTINGS.model_copy(update={"validation_sequences": 4, "vocabulary_size": 0})
    pretrain(corpus, tmp_path / "out", few, str(body))
    ((_, objective),) = untrained
    tokenizer = tiny.tokenizer()
    split = split_corpus(corpus.passages, 0.1, 0.1)
    held_out = [tokenizer(passage.text)["input_ids"] for passage in split.validation]
    count = len(held_out)

    assert objective.validation == [held_out[count * i // 4] for i in range(4)]
    assert objective.train == [tokenizer(passage.text)["input_ids"] for passage in split.base]


def test_from_nothing(tmp_path, corpus):
    provenance = pretrain(corpus, tmp_path / "out", SETTINGS)
    model = AutoModelForMaskedLM.from_pretrained(tmp_path / "out")

    assert provenance["started_from"] is None
    assert (model.config.hidden_size, model.config.num_hidden_layers, model.config.vocab_size) == (32, 2, 90)
    assert provenance["history"][-1]["loss"] < 0.8 * provenance["history"][0]["loss"]
    assert "lives" in AutoTokenizer.from_pretrained(tmp_path / "out").get_vocab()


def test_the_same_seed_gives_the_same_weights_and_a_killed_run_resumes_to_them(
    tmp_path, trained, corpus, body, monkeypatch
):
    evaluate = pretraining.MaskedLanguageModelling.evaluate
    calls = iter([False, False, True])  # the third evaluation is after the last step, before its checkpoint

    def die(*args):
        if next(calls):
            raise KeyboardInterrupt
        return evaluate(*args)

    with monkeypatch.context() as patch:
        patch.setattr(pretraining.MaskedLanguageModelling, "evaluate", die)
        with pytest.raises(KeyboardInterrupt):
            pretrain(corpus, tmp_path / "mini", SETTINGS, str(body))
    assert not (tmp_path / "mini").exists()
    assert (tmp_path / ".mini.training" / "checkpoint-40" / "complete.json").exists()
    pretrain(corpus, tmp_path / "mini", SETTINGS, str(body))

    assert sha256(tmp_path / "mini" / "model.safetensors") == sha256(trained[0] / "model.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["mini"]


@pytest.mark.parametrize(
    ("text", "shares"),
    [("1%,5%, 50%", (0.01, 0.05, 0.5)), ("100%,2.5%,100%", (0.025, 1.0)), ("", ())],
)
def test_points_of_a_run(text, shares):
    assert read_shares(text) == pytest.approx(shares)
    assert [step_at(share, 500) for share in (0.001, 0.05, 0.5, 1)] == [1, 25, 250, 500]
    assert [folder_at(Path("a/b"), share) for share in (0.025, 1)] == [Path("a/b-at-2.5"), Path("a/b-at-100")]


@pytest.mark.parametrize("text", ["5", "0%", "101%", "five%", "1%;2%", "nan%"])
def test_points_that_are_none(text):
    with pytest.raises(BertnesiaError, match="is not a point of a run: give percentages"):
        read_shares(text)


def test_bad_input_is_told_in_a_sentence_and_leaves_nothing(tmp_path, trained, corpus, body):
    def refused(sentence, start=str(body), text=corpus, out=tmp_path / "out", **changes):
        with pytest.raises(BertnesiaError, match=sentence):
            pretrain(text, out, BRIEF.model_copy(update=changes), start)
        assert out == trained[0] or not out.exists()

    refused("no model folder", start=str(tmp_path / "nowhere"))
    refused("needs a package: run 'pip install --no-deps no-such-thing'", start="package:no_such_thing/model")
    refused("already exists: delete it", out=trained[0])
    refused("A vocabulary of 20 has no room", vocabulary_size=20)
    refused("A vocabulary of 20 has no room", vocabulary_size=20, start=None)
    refused("reads at most 64 tokens", max_tokens=65)
    refused("reads at most 512 tokens", max_tokens=513, start=None)
    (tmp_path / "short.txt").write_text("Anna lives in Arlo.\n")
    short = read_corpus([tmp_path / "short.txt"])
    refused("text is too short", text=short)
    refused("text is too short", text=short, start=None)


def test_a_body_that_lacks_weights_is_refused(tmp_path, corpus, body):
    lacking = tmp_path / "lacking"
    shutil.copytree(body, lacking)
    tensors = load_file(body / "model.safetensors")
    tensors.pop("encoder.layer.1.attention.self.query.weight")
    save_file(tensors, lacking / "model.safetensors", {"format": "pt"})

    with pytest.raises(BertnesiaError, match=r"lacks 1 encoder weights?: .*layer.1.attention.self.query.weight"):
        pretrain(corpus, tmp_path / "out", BRIEF, str(lacking))
