"""A tiny, randomly started checkpoint of every supported architecture, with a tokenizer of its usual type."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    AlbertConfig,
    AlbertTokenizer,
    AutoModelForMaskedLM,
    BertConfig,
    BertTokenizer,
    CamembertConfig,
    CamembertTokenizer,
    DebertaV2Config,
    DebertaV2Tokenizer,
    DistilBertConfig,
    DistilBertTokenizer,
    ElectraConfig,
    ElectraTokenizer,
    MobileBertConfig,
    MobileBertTokenizer,
    ModernBertConfig,
    MPNetConfig,
    MPNetTokenizer,
    PreTrainedConfig,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaTokenizer,
    XLMRobertaConfig,
    XLMRobertaTokenizer,
)

from tests import tiny

LAYERS = 3
POSITIONS = 40
LINES = [
    *(f"{town} is a town in {tiny.land_of(town)} ." for town in tiny.TOWNS),
    *(f"{person} was born in {tiny.town_of(person)} ." for person in tiny.PEOPLE),
    *(f"{person} lives in {town} ." for person in tiny.PEOPLE for town in tiny.TOWNS),
]
WORDS = [token for token in dict.fromkeys([*tiny.vocabulary(), *tiny.WORDS]) if not token.startswith("[")]
BERT = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
ROBERTA = ("<s>", "<pad>", "</s>", "<unk>")


@dataclass(frozen=True)
class Kind:
    """How to make one checkpoint: its config without sizes, and its tokenizer."""

    config: Callable[..., PreTrainedConfig]
    tokenizer: Callable[[], PreTrainedTokenizerBase]
    options: dict[str, Any]
    rows_without_entry: int = 0


def save(folder: Path, kind: Kind) -> Path:
    """The checkpoint in the hub's format; no weight is zero or one, so that none can be forgotten unnoticed."""
    torch.manual_seed(0)
    tokenizer = kind.tokenizer()
    config = kind.config(
        vocab_size=len(tokenizer) + kind.rows_without_entry,
        pad_token_id=tokenizer.pad_token_id,
        num_hidden_layers=LAYERS,
        **kind.options,
    )
    model = AutoModelForMaskedLM.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _wordpiece(make: Any, specials: tuple[str, ...] = BERT, lower: bool = True) -> PreTrainedTokenizerBase:
    words = WORDS if lower else [*WORDS, *(name.title() for name in (*tiny.TOWNS, *tiny.LANDS, *tiny.PEOPLE))]
    vocabulary = {token: i for i, token in enumerate([*specials, *words])}
    return make(vocab=vocabulary, do_lower_case=lower, model_max_length=POSITIONS)


def _byte_level(specials: tuple[str, ...]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=500, special_tokens=[*specials], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(LINES, trainer)
    return tokenizer


def _roberta() -> PreTrainedTokenizerBase:
    learned = json.loads(_byte_level(ROBERTA).to_str())["model"]
    mask = AddedToken("<mask>", lstrip=True, special=True)
    merges = [tuple(pair) for pair in learned["merges"]]
    return RobertaTokenizer(vocab=learned["vocab"], merges=merges, mask_token=mask, model_max_length=POSITIONS)


def _modernbert() -> PreTrainedTokenizerBase:
    tokenizer = _byte_level(BERT[:-1])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token=AddedToken("[MASK]", lstrip=True, special=True),
        model_input_names=["input_ids", "attention_mask"],
    )


def _pieces(specials: tuple[str, ...]) -> list[tuple[str, float]]:
    """A SentencePiece vocabulary: whole words after a space, and letters to spell the others."""
    words = [f"▁{word}" for word in WORDS if len(word) > 1 and not word.startswith("##")]
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    scored = [(piece, -2.0) for piece in words] + [(piece, -9.0) for piece in ("▁", *letters, ".", "▁.", "▁a", "▁?")]
    return [*((special, 0.0) for special in specials), *scored]


def _xlm_roberta() -> PreTrainedTokenizerBase:
    return XLMRobertaTokenizer(vocab=_pieces(ROBERTA), mask_token=AddedToken("<mask>", lstrip=True, special=True))


def _camembert() -> PreTrainedTokenizerBase:
    return CamembertTokenizer(vocab=_pieces(("<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<s>", "</s>")))


def _albert() -> PreTrainedTokenizerBase:
    specials = ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")
    return AlbertTokenizer(vocab=_pieces(specials), mask_token=AddedToken("[MASK]", lstrip=True, special=True))


def _deberta() -> PreTrainedTokenizerBase:
    return DebertaV2Tokenizer(vocab=_pieces(("[PAD]", "[CLS]", "[SEP]", "[UNK]")))


def _mpnet() -> PreTrainedTokenizerBase:
    return _wordpiece(MPNetTokenizer, ("<s>", "<pad>", "</s>", "[UNK]", "<mask>"))


_WIDTH: dict[str, Any] = {"hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 48}
_SIZES = {**_WIDTH, "max_position_embeddings": POSITIONS}
_DEBERTA = {
    **_SIZES,
    "relative_attention": True,
    "position_buckets": 8,
    "norm_rel_ebd": "layer_norm",
    "share_att_key": True,
    "pos_att_type": ["p2c", "c2p"],
    "position_biased_input": False,
}
_MODERNBERT = {**_SIZES, "local_attention": 8, "global_attn_every_n_layers": 2, "bos_token_id": 2, "eos_token_id": 3}
_MOBILEBERT = {**_SIZES, "embedding_size": 16, "intra_bottleneck_size": 16, "num_feedforward_networks": 2}

KINDS = {
    "bert": Kind(BertConfig, lambda: _wordpiece(BertTokenizer), _SIZES),
    "bert-cased": Kind(BertConfig, lambda: _wordpiece(BertTokenizer, lower=False), {**_SIZES, "hidden_act": "relu"}),
    "roberta": Kind(RobertaConfig, _roberta, _SIZES),
    "xlm-roberta": Kind(XLMRobertaConfig, _xlm_roberta, {**_SIZES, "layer_norm_eps": 1e-5}),
    "camembert": Kind(CamembertConfig, _camembert, {**_SIZES, "bos_token_id": 4, "eos_token_id": 5}),
    "distilbert": Kind(
        lambda num_hidden_layers, **options: DistilBertConfig(n_layers=num_hidden_layers, **options),
        lambda: _wordpiece(DistilBertTokenizer),
        {"dim": 32, "n_heads": 4, "hidden_dim": 48, "max_position_embeddings": POSITIONS},
    ),
    "albert": Kind(AlbertConfig, _albert, {**_SIZES, "embedding_size": 16}),
    "albert-groups": Kind(AlbertConfig, _albert, {**_SIZES, "embedding_size": 16, "inner_group_num": 2}),
    "electra": Kind(ElectraConfig, lambda: _wordpiece(ElectraTokenizer), {**_SIZES, "embedding_size": 16}),
    "mpnet": Kind(MPNetConfig, _mpnet, _SIZES),
    "deberta": Kind(DebertaV2Config, _deberta, {**_DEBERTA, "conv_kernel_size": 3}),
    "deberta-new-head": Kind(DebertaV2Config, _deberta, {**_DEBERTA, "legacy": False}, rows_without_entry=7),
    "modernbert": Kind(ModernBertConfig, _modernbert, _MODERNBERT, rows_without_entry=5),
    "modernbert-biases": Kind(
        ModernBertConfig,
        _modernbert,
        {**_MODERNBERT, "norm_bias": True, "classifier_bias": True, "decoder_bias": False},
    ),
    "mobilebert": Kind(MobileBertConfig, lambda: _wordpiece(MobileBertTokenizer), _MOBILEBERT),
}
