"""How fast this machine is with a model of a given size: a few timed steps of a randomly started one."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from transformers import BertConfig, BertModel

from bertnesia.models.encoder import device
from bertnesia.studies.spec import Shape

_SEQUENCES, _LENGTH = 4, 64
_ROWS = 38  # 15 % of the batch's tokens


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds a token read, a token read in training, a hidden state decoded and one decoded in training."""

    read: float
    train: float
    decode: float
    train_head: float


def measure(shape: Shape) -> Speed:
    """Time a model of this size on a batch of 256 tokens, after one that is not counted."""
    config = BertConfig(
        vocab_size=shape.vocabulary_size,
        hidden_size=shape.hidden_size,
        num_hidden_layers=shape.layers,
        num_attention_heads=max(1, shape.hidden_size // 64),
        intermediate_size=4 * shape.hidden_size,
    )
    encoder = BertModel(config, add_pooling_layer=False).eval()
    encoder.to(device())
    head = nn.Sequential(
        nn.Linear(shape.hidden_size, shape.hidden_size), nn.GELU(), nn.Linear(shape.hidden_size, shape.vocabulary_size)
    ).to(device())
    ids = torch.randint(0, shape.vocabulary_size, (_SEQUENCES, _LENGTH), device=device())
    hidden = torch.randn(_ROWS, shape.hidden_size, device=device())

    def read() -> None:
        with torch.no_grad():
            encoder(input_ids=ids)

    def decode() -> None:
        with torch.no_grad():
            head(hidden)

    tokens = ids.numel()
    return Speed(
        read=_seconds(read) / tokens,
        train=_seconds(lambda: encoder(input_ids=ids).last_hidden_state.square().mean().backward()) / tokens,
        decode=_seconds(decode) / _ROWS,
        train_head=_seconds(lambda: head(hidden).logsumexp(1).mean().backward()) / _ROWS,
    )


def _seconds(step: Callable[[], object]) -> float:
    step()
    began = time.perf_counter()
    step()
    if device().type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began
