"""Frozen encoders and tokenizers, from a folder or a hub name, and the hashes that identify them."""

import hashlib
import logging
from collections.abc import Mapping
from typing import Any, cast

import torch
from huggingface_hub.errors import LocalEntryNotFoundError, StrictDataclassError
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging as transformers_logging

from bertnesia.errors import BertnesiaError
from bertnesia.files import digest
from bertnesia.models.architectures import architecture
from bertnesia.models.completeness import check_encoder, head_keys, is_pooler, shorten
from bertnesia.models.places import locate

# Its reports on loading and saving would stand between our own bars and sentences.
transformers_logging.set_verbosity_error()
transformers_logging.disable_progress_bar()
logging.getLogger("huggingface_hub").setLevel(logging.ERROR)

_LOADING_FAILURES = (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError, StrictDataclassError)


def load_encoder(name: str, revision: str | None = None) -> PreTrainedModel:
    """The frozen body of a checkpoint with any head, in float32 and evaluation mode.

    Args:
        name: a folder, a hub name or `package:MODULE/FOLDER`, each perhaps with `@revision` behind it.
        revision: branch, tag or commit of a hub name, as an alternative to `@revision`.

    Raises:
        BertnesiaError: if the checkpoint is not there, is not supported, or lacks or exceeds encoder weights.
    """
    encoder, _ = load_checkpoint(AutoModel, name, revision)
    return _frozen(encoder)


def random_encoder(config: PreTrainedConfig, seed: int) -> PreTrainedModel:
    """A frozen encoder of a config (`load_config`, or another encoder's) with the weights that a new model starts from.

    The same seed gives the same encoder.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        options = architecture(config).encoder_options
        encoder = AutoModel.from_config(config, dtype=torch.float32, trust_remote_code=False, **options)
    return _frozen(cast(PreTrainedModel, encoder))


def body(masked_lm: PreTrainedModel) -> PreTrainedModel:
    """The frozen encoder inside a masked language model."""
    return _frozen(cast(PreTrainedModel, masked_lm.base_model))


def _frozen(encoder: PreTrainedModel) -> PreTrainedModel:
    encoder.requires_grad_(False)
    encoder.eval()
    return encoder


def device() -> torch.device:
    """The accelerator if there is one, else the CPU: where models are trained and probed."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@torch.no_grad()
def layer_states(encoder: PreTrainedModel, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
    """Hidden states (batch, tokens, hidden) after layers 1..L, as the head expects them; the encoder is run once."""
    family = architecture(encoder.config)
    output = encoder(**family.inputs(encoder, input_ids, attention_mask), output_hidden_states=True)
    return family.states(encoder, output.hidden_states)


def load_masked_lm(
    name: str, allow_new_head: bool = False, revision: str | None = None
) -> tuple[PreTrainedModel, bool]:
    """A checkpoint as a masked language model in float32, and whether the checkpoint had that head itself.

    Raises:
        BertnesiaError: as `load_encoder`, or if there is no head and `allow_new_head` is not set.
    """
    model, missing = load_checkpoint(AutoModelForMaskedLM, name, revision)
    if missing and (other := architecture(model.config).other_head(model.config)):
        second, still_missing = load_checkpoint(AutoModelForMaskedLM, name, revision, **other)
        model, missing = (model, missing) if still_missing else (second, still_missing)
    if missing and not allow_new_head:
        raise BertnesiaError(
            f"{name} has no masked-language-model head (it lacks {shorten(missing)}): use its base model's head."
        )
    model.eval()
    return model, not missing


def load_tokenizer(name: str, revision: str | None = None) -> PreTrainedTokenizerBase:
    """The tokenizer of a checkpoint.

    Raises:
        BertnesiaError: if it is not there, cannot be loaded or has no mask token.
    """
    place = locate(name, revision)
    try:
        loaded = AutoTokenizer.from_pretrained(place.path, revision=place.revision, trust_remote_code=False)
    except _LOADING_FAILURES as error:
        raise BertnesiaError(f"Cannot load the tokenizer of {name}: {_reason(error)}") from error
    tokenizer = cast(PreTrainedTokenizerBase, loaded)
    if len(tokenizer) <= len(tokenizer.all_special_ids):  # what transformers makes up where there are no files
        raise BertnesiaError(f"{name} has no tokenizer files: copy those of its base model into it.")
    if tokenizer.mask_token_id is None:
        raise BertnesiaError(f"The tokenizer of {name} has no mask token, so it cannot be asked cloze prompts.")
    return tokenizer


def load_config(name: str, revision: str | None = None) -> PreTrainedConfig:
    """The config of a checkpoint.

    Raises:
        BertnesiaError: if it is not there or cannot be understood.
    """
    place = locate(name, revision)
    try:
        config = AutoConfig.from_pretrained(place.path, revision=place.revision, trust_remote_code=False)
    except _LOADING_FAILURES as error:
        raise BertnesiaError(f"Cannot load the model {name}: {_reason(error)}") from error
    return cast(PreTrainedConfig, config)


def load_checkpoint(
    auto: Any, name: str, revision: str | None = None, **options: Any
) -> tuple[PreTrainedModel, list[str]]:
    """A checkpoint as the given auto class makes it, in float32, and the names of head weights that it lacks.

    Raises:
        BertnesiaError: as `load_encoder`.
    """
    family = architecture(load_config(name, revision), name)
    place = locate(name, revision)
    if auto is AutoModel:
        options = {**family.encoder_options, **options}
    try:
        model, info = auto.from_pretrained(
            place.path,
            revision=place.revision,
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            **options,
        )
    except _LOADING_FAILURES as error:
        raise BertnesiaError(f"Cannot load the weights of {name}: {_reason(error)}") from error
    check_encoder(name, model, info)
    return model, head_keys(model, info)


def set_dropout(model: nn.Module, rate: float) -> None:
    """Set the rate for training; the configuration, which is saved, keeps its own."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = rate


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
    weights = encoder.base_model.state_dict()
    return state_hash({name: tensor for name, tensor in weights.items() if not is_pooler(name)})


def vocabulary_hash(tokenizer: PreTrainedTokenizerBase) -> str:
    """Hex digest of a vocabulary: its entries and their ids."""
    return digest(sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1]))


def _reason(error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, LocalEntryNotFoundError):
        cause = cause.__cause__ or cause.__context__
    if cause is not None:
        return "the hub cannot be reached, and what was fetched before does not hold it. Name a folder with a copy."
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__
