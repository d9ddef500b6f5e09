"""What models of every architecture are given: pairs of texts as tokens, and a forward pass over them."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.batches import pad
from bertnesia.models.encoder import load_checkpoint


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts as a model reads them: token ids, special ones included, and which text each belongs to."""

    ids: list[int]
    types: list[int]


def encode_pairs(
    tokenizer: PreTrainedTokenizerBase, first: Sequence[str], second: Sequence[str], max_tokens: int
) -> list[Pair]:
    """Pairs of at most `max_tokens` tokens: the first text is cut at half of them, the second at what is left.

    Raises:
        BertnesiaError: if the tokenizer does not know where its tokens stand in the text.
    """
    encoded = tokenizer(
        cut(first, tokenizer, max_tokens // 2 - 3),
        list(second),
        truncation="only_second",
        max_length=max_tokens,
        return_token_type_ids=True,
    )
    return [Pair(ids, types) for ids, types in zip(encoded["input_ids"], encoded["token_type_ids"], strict=True)]


def cut(texts: Sequence[str], tokenizer: PreTrainedTokenizerBase, tokens: int) -> list[str]:
    """The texts, each no longer than so many tokens.

    Raises:
        BertnesiaError: if the tokenizer does not know where its tokens stand in the text.
    """
    need_offsets(tokenizer)
    encoded = tokenizer(list(texts), add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    return [
        text if len(offsets) <= tokens else text[: offsets[tokens - 1][1]]
        for text, offsets in zip(texts, encoded["offset_mapping"], strict=True)
    ]


def need_offsets(tokenizer: PreTrainedTokenizerBase) -> None:
    """Make sure that a tokenizer knows where its tokens stand in the text.

    Raises:
        BertnesiaError: if it does not.
    """
    if not tokenizer.is_fast:
        raise BertnesiaError("This objective needs a tokenizer that reports offsets (a tokenizer.json file).")


def collate(sequences: Sequence[Pair], padding: int) -> dict[str, Tensor]:
    """Token ids, types and attention mask, each (batch, longest)."""
    return {
        "input_ids": pad([sequence.ids for sequence in sequences], padding),
        "token_type_ids": pad([sequence.types for sequence in sequences], 0),
        "attention_mask": pad([[1] * len(sequence.ids) for sequence in sequences], 0),
    }


def forward(model: PreTrainedModel, batch: dict[str, Tensor]) -> Any:
    """The model's output for a batch, told apart the two texts where its architecture can."""
    names = ["input_ids", "attention_mask", *(["token_type_ids"] if _tells_texts_apart(model) else [])]
    return model(**{name: batch[name] for name in names})


def _tells_texts_apart(model: PreTrainedModel) -> bool:
    takes_types = "token_type_ids" in inspect.signature(model.forward).parameters
    return takes_types and getattr(model.config, "type_vocab_size", 0) > 1


def on_device(model: PreTrainedModel, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """The batch where the model is."""
    return {name: tensor.to(model.device) for name, tensor in batch.items()}


def load_with_new_head(auto: Any, name: str, **options: Any) -> PreTrainedModel:
    """The encoder of a checkpoint under the head that an auto class puts on it, in float32.

    The head is the checkpoint's own where it has such a head, else new, drawn from torch's random numbers. `options`
    go into the model's configuration.

    Raises:
        BertnesiaError: if the checkpoint is not there, is not supported, or lacks or exceeds encoder weights.
    """
    model, _ = load_checkpoint(auto, name, **options)
    return model
