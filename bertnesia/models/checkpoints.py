"""Models that training saves: Hugging Face folders with fp16 weights and a file that says how they came about."""

import platform
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bertnesia.errors import BertnesiaError
from bertnesia.files import digest, read_json, replacing_folder, write_json
from bertnesia.models.architectures import architecture
from bertnesia.models.encoder import encoder_hash

PROVENANCE = "bertnesia.json"


def save_model(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, out: Path, provenance: dict[str, Any]
) -> None:
    """Save model, tokenizer and provenance in one step; weights are rounded to fp16 (in `model`, too)."""
    with replacing_folder(out) as folder:
        model.to("cpu", torch.float16).save_pretrained(folder)  # type: ignore[arg-type]
        if tokenizer.is_fast:  # else the length limits of its last call would be saved with it
            tokenizer.backend_tokenizer.no_truncation()
            tokenizer.backend_tokenizer.no_padding()
        tokenizer.save_pretrained(folder)
        write_json(folder / PROVENANCE, {**provenance, "encoder_hash": encoder_hash(model)})


def read_provenance(folder: Path) -> dict[str, Any] | None:
    """What `save_model` noted beside a model, or None where the folder was not saved by it."""
    return read_json(folder / PROVENANCE) if (folder / PROVENANCE).exists() else None


def refuse_existing(out: Path) -> None:
    """Make sure that a new model has a place to go.

    Raises:
        BertnesiaError: if `out` is a file or a folder with anything in it.
    """
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise BertnesiaError(f"{out} already exists: delete it or choose another folder.")


def check_room(model: PreTrainedModel, tokens: int) -> None:
    """Make sure that a model can read sequences of `tokens` tokens.

    Raises:
        BertnesiaError: if it has fewer positions.
    """
    positions = architecture(model.config).max_tokens(model.config)
    if tokens > positions:
        raise BertnesiaError(f"max_tokens is {tokens}, but the model reads at most {positions} tokens: lower it.")


def versions() -> dict[str, str]:
    """The libraries that numbers depend on."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def made_with(folder: Path, identity: dict[str, Any]) -> bool:
    """Whether a folder's provenance says that it was made from these settings and data."""
    provenance = read_provenance(folder)
    return provenance is not None and digest({name: provenance.get(name) for name in identity}) == digest(identity)
