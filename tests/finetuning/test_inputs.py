"""Pairs of texts, and forward passes of several architectures."""

import pytest
import torch
from transformers import (
    AlbertConfig,
    AutoModelForQuestionAnswering,
    AutoModelForTokenClassification,
    BertConfig,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    ModernBertConfig,
    RobertaConfig,
)

from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.inputs import Pair, collate, cut, encode_pairs, forward
from tests.finetuning.toys import TOKENIZER

SIZES = {"vocab_size": len(TOKENIZER), "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
CONFIGS = [
    AlbertConfig(**SIZES, embedding_size=16, intermediate_size=64),
    BertConfig(**SIZES, intermediate_size=64),
    DebertaV2Config(**SIZES, intermediate_size=64, type_vocab_size=0),
    DistilBertConfig(vocab_size=len(TOKENIZER), dim=32, n_layers=2, n_heads=2, hidden_dim=64),
    ElectraConfig(**SIZES, embedding_size=16, intermediate_size=64),
    ModernBertConfig(**SIZES, intermediate_size=64, pad_token_id=0, cls_token_id=2, sep_token_id=3),
    RobertaConfig(**SIZES, intermediate_size=64, pad_token_id=0),
]


def pairs():
    return encode_pairs(TOKENIZER, ["where is arlo ?", "who ?"], ["arlo is a town .", "anna"], max_tokens=32)


def test_pairs_by_hand():
    first, second = pairs()

    assert TOKENIZER.decode(second.ids) == "[CLS] who? [SEP] anna [SEP]"
    assert second.types == [0, 0, 0, 0, 1, 1]
    assert len(first.ids) == len(first.types) == 1 + 4 + 1 + 5 + 1


def test_texts_are_cut_at_tokens():
    assert cut(["anna lives in Arlo", "Anna", ""], TOKENIZER, 2) == ["anna lives", "Anna", ""]


def test_a_tokenizer_without_offsets_is_refused():
    class Slow:
        is_fast = False

    with pytest.raises(BertnesiaError, match="needs a tokenizer that reports offsets"):
        cut(["anna"], Slow(), 2)


def test_padding_is_masked():
    batch = collate([Pair([2, 7, 3], [0, 1, 1]), Pair([2, 3], [0, 0])], padding=9)

    assert batch["input_ids"].tolist() == [[2, 7, 3], [2, 3, 9]]
    assert batch["token_type_ids"].tolist() == [[0, 1, 1], [0, 0, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 1, 0]]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.model_type)
def test_every_architecture_reads_the_same_batch(config):
    torch.manual_seed(0)
    batch = collate(pairs(), TOKENIZER.pad_token_id)
    alone = collate(pairs()[1:], TOKENIZER.pad_token_id)
    config.num_labels = 1
    ranker = AutoModelForTokenClassification.from_config(config).eval()
    config.num_labels = 2
    reader = AutoModelForQuestionAnswering.from_config(config).eval()
    with torch.inference_mode():
        scores = forward(ranker, batch).logits

        assert scores.shape == (2, 12, 1)
        assert forward(reader, batch).start_logits.shape == (2, 12)
        torch.testing.assert_close(scores[1:, :6], forward(ranker, alone).logits, atol=1e-4, rtol=1e-3)


def test_bert_is_told_the_texts_apart():
    torch.manual_seed(0)
    model = AutoModelForTokenClassification.from_config(BertConfig(**SIZES, intermediate_size=64)).eval()
    batch = collate(pairs(), TOKENIZER.pad_token_id)
    with torch.inference_mode():
        both = forward(model, batch).logits
        theirs = model(**batch).logits
        same_types = forward(model, {**batch, "token_type_ids": torch.zeros_like(batch["token_type_ids"])}).logits

    assert torch.equal(both, theirs)
    assert not torch.allclose(both, same_types)
