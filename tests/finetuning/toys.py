"""A tokenised toy text and a tiny model that has not read it yet."""

import torch
from transformers import BertConfig, BertForMaskedLM

from tests import tiny

TOKENIZER = tiny.tokenizer()
SENTENCES = [
    *(f"{town} is a town in {tiny.land_of(town)} ." for town in tiny.TOWNS),
    *(f"the capital of {tiny.land_of(town)} is {town} , a town ." for town in tiny.TOWNS[:4]),
    *(f"{person} was born in {tiny.town_of(person)} and lives in {tiny.town_of(person)} ." for person in tiny.PEOPLE),
    *(f"where is {town} ?" for town in tiny.TOWNS),
]
CHUNKS = TOKENIZER(SENTENCES)["input_ids"]


def config() -> BertConfig:
    """Two layers, 32 wide, with BERT's own dropout."""
    return BertConfig(
        vocab_size=len(TOKENIZER),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        pad_token_id=TOKENIZER.pad_token_id,
    )


def masked_lm() -> BertForMaskedLM:
    """The same randomly started model at every call."""
    torch.manual_seed(0)
    return BertForMaskedLM(config()).eval()
