"""Tiny models with decoders, as a study would have them, for live prompts."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from bertnesia.models.decoders import DecoderConfig, Decoders, LayerRecord, output_hash, save_decoders
from bertnesia.models.encoder import encoder_hash, load_encoder, load_masked_lm, load_tokenizer, vocabulary_hash
from bertnesia.models.heads import head_weights


def save_trained(checkpoint: Path, base: Path, kind: str = "trained", seed: int = 0) -> Path:
    """Decoders of a kind for a checkpoint: the base's head with noise on top, another one for each layer."""
    random = torch.Generator().manual_seed(seed)
    encoder, stock = load_encoder(str(checkpoint)), head_weights(load_masked_lm(str(base))[0])
    form = replace(stock, own_output=kind == "full")

    def noisy(tensor: Tensor) -> Tensor:
        return (tensor + 0.3 * torch.randn(tensor.shape, generator=random)).half().float()

    heads = [
        replace(form, **{name: noisy(tensor) for name, tensor in form.tensors.items()})
        for _ in range(encoder.config.num_hidden_layers)
    ]
    config = DecoderConfig(
        kind=kind,
        encoder_hash=encoder_hash(encoder),
        vocabulary_hash=vocabulary_hash(load_tokenizer(str(checkpoint))),
        output_hash=output_hash(stock),
        corpus=[],
        facts_left_out="",
        passages_left_out=0,
        settings={},
        layers=[LayerRecord(layer=i + 1, step=1, loss=1, accuracy=0, hash="") for i in range(len(heads))],
        history=[],
        seconds=0,
        versions={},
    )
    save_decoders(checkpoint / "decoders" / kind, Decoders(kind, tuple(heads)), config)
    return checkpoint
