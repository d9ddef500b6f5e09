"""Checkpoints with any head: what loads, and what is refused instead of being filled up with noise."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForMaskedLM,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    BertTokenizer,
)

from bertnesia.errors import BertnesiaError
from bertnesia.models.encoder import encoder_hash, load_encoder, load_masked_lm, load_tokenizer
from bertnesia.models.heads import head_weights
from bertnesia.models.layered import load_layered
from bertnesia.models.places import Place, locate
from tests import tiny
from tests.models import zoo

HEADS = {
    "masked LM": AutoModelForMaskedLM,
    "question answering": AutoModelForQuestionAnswering,
    "sequence classification": AutoModelForSequenceClassification,
    "token classification": AutoModelForTokenClassification,
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save_masked_lm(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture
def copied(base: Path, tmp_path: Path) -> Path:
    return shutil.copytree(base, tmp_path / "copy")


def fine_tuned(base: Path, auto: object, folder: Path, **saving: object) -> Path:
    """A sibling: the base's encoder, moved a little, under a new head."""
    torch.manual_seed(1)
    model = auto.from_pretrained(base)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    model.save_pretrained(folder, **saving)
    for file in base.glob("*token*"):
        shutil.copy(file, folder)
    return folder


def rename(folder: Path, change: Callable[[str], str | None]) -> None:
    """Rename the weights of a checkpoint; None drops one."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    save_file({new: tensor for name, tensor in tensors.items() if (new := change(name))}, path, {"format": "pt"})


@pytest.mark.parametrize("name", ["bert", "roberta", "distilbert", "deberta", "modernbert", "mobilebert", "electra"])
@pytest.mark.parametrize("head", HEADS)
def test_the_encoder_is_the_same_under_any_head(name: str, head: str, tmp_path: Path) -> None:
    base = zoo.save(tmp_path / "base", zoo.KINDS[name])
    folder = fine_tuned(base, HEADS[head], tmp_path / "sibling")
    reference = HEADS[head].from_pretrained(folder).eval()
    layered = load_layered(str(folder), str(base), ["stock"])
    inputs = layered.tokenizer("anna lives in arlo .", return_tensors="pt", return_token_type_ids=False)
    with torch.no_grad():
        expected = reference.base_model(**inputs).last_hidden_state
    torch.testing.assert_close(layered.states(**inputs)[-1], expected, rtol=0, atol=1e-5)
    assert encoder_hash(layered.encoder) != encoder_hash(load_encoder(str(base)))


def test_sharded_weights_are_put_together(base: Path, tmp_path: Path) -> None:
    whole = fine_tuned(base, AutoModelForQuestionAnswering, tmp_path / "whole")
    sharded = fine_tuned(base, AutoModelForQuestionAnswering, tmp_path / "sharded", max_shard_size="30KB")
    assert len(list(sharded.glob("model-*.safetensors"))) > 1
    assert encoder_hash(load_encoder(str(sharded))) == encoder_hash(load_encoder(str(whole)))
    next(iter(sorted(sharded.glob("model-*.safetensors")))).unlink()
    with pytest.raises(BertnesiaError, match=r"Cannot load the weights of .*sharded"):
        load_encoder(str(sharded))


def test_missing_encoder_weights_are_named(copied: Path) -> None:
    rename(copied, lambda name: None if "layer.1.output.dense" in name else name)
    names = "bert.encoder.layer.1.output.dense.bias, bert.encoder.layer.1.output.dense.weight"
    with pytest.raises(BertnesiaError, match=f"lacks 2 encoder weights: {names}"):
        load_masked_lm(str(copied))
    with pytest.raises(BertnesiaError, match=r"lacks 2 encoder weights: encoder.layer.1.output.dense.bias"):
        load_encoder(str(copied))


def test_left_over_encoder_weights_are_named(copied: Path) -> None:
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 2}))
    fault = r"has 16 encoder weights that its config has no place for: bert.encoder.layer.2.*and 13 more"
    for load in (load_encoder, load_masked_lm):
        with pytest.raises(BertnesiaError, match=fault):
            load(str(copied))


@pytest.mark.parametrize("prefix", ["module.", "model.bert_", "teacher.model."])
def test_weights_under_another_prefix_are_no_random_start(copied: Path, prefix: str) -> None:
    rename(copied, lambda name: prefix + name)
    for load in (load_encoder, load_masked_lm):
        with pytest.raises(BertnesiaError, match=rf"lacks 53 encoder weights: .*\(it has {prefix}"):
            load(str(copied))


def test_left_over_weights_under_another_prefix_are_named(copied: Path) -> None:
    path = copied / "model.safetensors"
    tensors = load_file(path)
    extra = {"module.bert.encoder.layer.7.output.dense.bias": torch.zeros(32)}
    save_file({**tensors, **extra}, path, {"format": "pt"})
    with pytest.raises(
        BertnesiaError, match=r"has 1 encoder weight that.*: module.bert.encoder.layer.7.output.dense.bias"
    ):
        load_encoder(str(copied))


def test_what_old_checkpoints_have_besides_does_no_harm(base: Path, copied: Path) -> None:
    """Buffers, LayerNorm's old names, the pooler and the next-sentence head, as in bert-base-uncased on the hub."""
    rename(copied, lambda name: name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("Norm.bias", "Norm.beta"))
    path = copied / "model.safetensors"
    extra = {
        "bert.embeddings.position_ids": torch.arange(64)[None],
        "bert.pooler.dense.weight": torch.ones(32, 32),
        "bert.pooler.dense.bias": torch.ones(32),
        "cls.seq_relationship.weight": torch.ones(2, 32),
        "cls.seq_relationship.bias": torch.ones(2),
    }
    save_file({**load_file(path), **extra}, path, {"format": "pt"})
    assert encoder_hash(load_encoder(str(copied))) == encoder_hash(load_encoder(str(base)))
    assert load_masked_lm(str(copied))[1]


def test_a_weight_of_the_wrong_shape_is_named(copied: Path) -> None:
    path = copied / "model.safetensors"
    tensors = load_file(path)
    save_file({**tensors, "bert.encoder.layer.0.output.dense.bias": torch.zeros(5)}, path, {"format": "pt"})
    with pytest.raises(BertnesiaError, match="weights of"):
        load_encoder(str(copied))


def test_no_head_is_made_up(base: Path, tmp_path: Path) -> None:
    folder = fine_tuned(base, AutoModelForQuestionAnswering, tmp_path / "qa")
    with pytest.raises(BertnesiaError, match="no masked-language-model head"):
        load_masked_lm(str(folder))
    with pytest.raises(BertnesiaError, match="no masked-language-model head"):
        load_layered(str(folder), str(base), ["own"])


def entries() -> list[str]:
    """The tiny vocabulary in the order of its ids."""
    vocabulary = tiny.tokenizer().get_vocab()
    return sorted(vocabulary, key=vocabulary.__getitem__)


@pytest.mark.parametrize("name", ["deberta", "deberta-new-head"])
def test_either_head_of_deberta_is_found_whatever_the_config_says(name: str, tmp_path: Path) -> None:
    folder = zoo.save(tmp_path / "deberta", zoo.KINDS[name])
    expected = head_weights(load_masked_lm(str(folder))[0])
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "legacy": name != "deberta"}))
    model, had_head = load_masked_lm(str(folder))
    assert had_head
    for tensor, other in zip(expected.tensors.values(), head_weights(model).tensors.values(), strict=True):
        assert torch.equal(tensor, other)
    rename(folder, lambda key: None if "dense" in key and not key.startswith("deberta.") else key)
    with pytest.raises(BertnesiaError, match="no masked-language-model head"):
        load_masked_lm(str(folder))


def tokenizer_with(words: list[str], folder: Path, **options: object) -> None:
    BertTokenizer({word: i for i, word in enumerate(words)}, **options).save_pretrained(folder)


def test_another_vocabulary_is_refused_with_the_entries_that_differ(base: Path, copied: Path) -> None:
    words = entries()
    arlo, bexi = words.index("arlo"), words.index("bexi")
    words[arlo], words[bexi] = "bexi", "berlin"
    tokenizer_with(words, copied, do_lower_case=True)
    reason = (
        r"entries that the base lacks: 1 \('berlin'\); entries that only the base has: 1 \('arlo'\); "
        rf"entries with another id: 1 \('bexi' is {arlo}, in the base {bexi}\)"
    )
    with pytest.raises(BertnesiaError, match=f"they cannot be compared fact by fact: {reason}"):
        load_layered(str(copied), str(base), ["stock"])


def test_another_reading_of_the_same_vocabulary_is_refused_with_a_sample(base: Path, copied: Path) -> None:
    tokenizer_with(entries(), copied, do_lower_case=False)
    with pytest.raises(BertnesiaError, match=r"it reads \"Ångström.* as \[CLS\] \[UNK\].*, the base as \[CLS\] a ##n"):
        load_layered(str(copied), str(base), ["stock"])


def test_a_folder_without_tokenizer_is_refused(copied: Path) -> None:
    for file in copied.glob("*token*"):
        file.unlink()
    with pytest.raises(BertnesiaError, match="tokenizer"):
        load_tokenizer(str(copied))


def test_a_tokenizer_that_knows_more_than_the_model_is_refused(copied: Path) -> None:
    tokenizer_with([*entries(), "berlin"], copied, do_lower_case=True)
    with pytest.raises(BertnesiaError, match="has 97 entries, but the model knows 96: it is another model's"):
        load_layered(str(copied), kinds=["stock"])


def test_names_and_revisions(tmp_path: Path) -> None:
    folder = tmp_path / "a@b"
    folder.mkdir()
    assert locate(str(folder)) == Place(str(folder))
    assert locate("org/model") == Place("org/model")
    assert locate("org/model@v1.0") == Place("org/model", "v1.0") == locate("org/model", "v1.0")
    assert locate("org/model@v1", "v1") == Place("org/model", "v1")
    with pytest.raises(BertnesiaError, match="names another revision than 'v2'"):
        locate("org/model@v1", "v2")
    with pytest.raises(BertnesiaError, match="has no revision 'v1'"):
        locate(str(folder), "v1")
    with pytest.raises(BertnesiaError, match="ends in @ without a revision"):
        locate("org/model@")
    with pytest.raises(BertnesiaError, match=r"There is no model folder \./nowhere"):
        locate("./nowhere@v1")


def test_a_pinned_revision_is_the_one_that_is_loaded(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two commits of one model in the hub's cache, without a network."""
    repository = tmp_path / "models--org--model"
    commits = {"1" * 40: base, "2" * 40: fine_tuned(base, AutoModelForMaskedLM, tmp_path / "newer")}
    for commit, source in commits.items():
        shutil.copytree(source, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    for name, commit in (("main", "2" * 40), ("v1", "1" * 40)):
        (repository / "refs" / name).write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    old, new = (encoder_hash(load_encoder(str(folder))) for folder in commits.values())
    assert old != new
    assert encoder_hash(load_encoder("org/model")) == new
    for name in ("org/model@v1", f"org/model@{'1' * 40}"):
        assert encoder_hash(load_encoder(name)) == old
        assert len(load_tokenizer(name)) == 96
    assert encoder_hash(load_masked_lm("org/model", revision="v1")[0]) == old
    for load in (load_encoder, load_tokenizer):
        with pytest.raises(
            BertnesiaError, match=r"org/model@v3: the hub cannot be reached.* Name a folder with a copy\.$"
        ):
            load("org/model@v3")
