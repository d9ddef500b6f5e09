"""A model of a given size with random weights: speed does not ask what they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import BertConfig, BertForMaskedLM, BertTokenizer

from bertnesia.models.decoders import Decoders
from bertnesia.models.encoder import body
from bertnesia.models.heads import head_weights
from bertnesia.models.layered import LayeredModel
from bertnesia.probes.eligibility import Prompt


@dataclass(frozen=True, slots=True)
class Size:
    """By default BERT-base's."""

    layers: int = 12
    width: int = 768
    vocabulary: int = 30_522


def layered_model(size: Size) -> LayeredModel:
    """A model with `trained` decoders, a head for each layer, that share its output matrix."""
    config = BertConfig(
        vocab_size=size.vocabulary,
        hidden_size=size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=size.width // 64,
        intermediate_size=4 * size.width,
        max_position_embeddings=512,
    )
    torch.manual_seed(0)
    masked_lm = BertForMaskedLM(config).eval()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = [*specials, *(f"word{i}" for i in range(size.vocabulary - len(specials)))]
    stock = head_weights(masked_lm)
    decoders = Decoders("trained", (stock,) * size.layers)
    tokenizer = BertTokenizer({word: i for i, word in enumerate(words)})
    return LayeredModel(body(masked_lm), tokenizer, stock, {"trained": decoders})


def prompts(lengths: Sequence[int], vocabulary: int) -> list[Prompt]:
    """Prompts of these lengths in tokens, of random words with the mask in the last place but two."""
    random = np.random.default_rng(0)
    made = []
    for fact, length in enumerate(lengths):
        ids = [2, *random.integers(5, vocabulary, length - 2).tolist(), 3]
        ids[-3] = 4
        answer = int(random.integers(5, vocabulary))
        made.append(Prompt(fact, "P0", "", tuple(ids), length - 3, answer, ()))
    return made


def trex_lengths(count: int) -> list[int]:
    """Lengths as T-REx's prompts have them with BERT's vocabulary: 7 to 20 tokens, 10.9 on average."""
    random = np.random.default_rng(0)
    return np.clip(np.round(random.gamma(9.0, 0.66, count) + 5), 7, 20).astype(int).tolist()
