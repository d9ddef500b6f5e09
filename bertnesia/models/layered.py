"""A model whose every layer can be asked: encoder, tokenizer and decoders, checked to belong together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bertnesia.errors import BertnesiaError
from bertnesia.models.decoders import Decoders, load_decoders, stock_decoders
from bertnesia.models.encoder import body, encoder_hash, load_encoder, load_masked_lm, load_tokenizer, vocabulary_hash
from bertnesia.models.heads import HeadWeights, head_weights

KINDS = ("trained", "stock")
"""Decoder kinds, the default first."""


@dataclass(frozen=True, slots=True)
class LayeredModel:
    """An encoder of L layers with its decoders by kind; `stock` is the pre-trained head that they come from."""

    encoder: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    stock: HeadWeights
    decoders: Mapping[str, Decoders]

    @property
    def layers(self) -> int:
        """The number of layers L."""
        return int(self.encoder.config.num_hidden_layers)

    @property
    def max_tokens(self) -> int:
        """The longest sequence the encoder takes, special tokens included."""
        return int(self.encoder.config.max_position_embeddings)

    def of_kind(self, kind: str) -> Decoders:
        """The decoders of a kind.

        Raises:
            BertnesiaError: if the model was loaded without them.
        """
        if kind not in self.decoders:
            raise BertnesiaError(
                f"There are no {kind!r} decoders of this model; there are: {', '.join(self.decoders)}."
            )
        return self.decoders[kind]


def load_layered(
    checkpoint: str, base: str | None = None, kinds: Sequence[str] = KINDS, decoders: Path | None = None
) -> LayeredModel:
    """Load a checkpoint with its decoders.

    Args:
        checkpoint: a folder or hub name, with any head.
        base: the model whose pre-trained head and output matrix decode it; None if the checkpoint has its own.
        kinds: the decoder kinds to load.
        decoders: the folder that holds one folder for each trained kind; by default `decoders` in the checkpoint.

    Raises:
        BertnesiaError: if something is missing, damaged or was made for something else.
    """
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise BertnesiaError(f"There is no decoder kind {unknown[0]!r}; there are: {', '.join(KINDS)}.")
    masked_lm, _ = load_masked_lm(base or checkpoint)
    encoder = load_encoder(checkpoint) if base else body(masked_lm)
    depth = int(encoder.config.num_hidden_layers)
    tokenizer = load_tokenizer(checkpoint)
    if base and not _alike(tokenizer, load_tokenizer(base)):
        raise BertnesiaError(
            f"{checkpoint} has another vocabulary or tokenizer than its base {base}: they cannot be compared."
        )
    stock = head_weights(masked_lm)
    folder = decoders or Path(checkpoint) / "decoders"
    found = {}
    for kind in kinds:
        if kind == "stock":
            found[kind] = stock_decoders(stock, depth)
        else:
            found[kind] = load_decoders(folder / kind, stock, encoder_hash(encoder), vocabulary_hash(tokenizer))
    return LayeredModel(encoder, tokenizer, stock, found)


def _alike(one: PreTrainedTokenizerBase, other: PreTrainedTokenizerBase) -> bool:
    """Whether two tokenizers have the same vocabulary and treat case, accents and punctuation alike."""
    sample = "Ångström-Straße IS in don't, 1,000."
    return vocabulary_hash(one) == vocabulary_hash(other) and one.tokenize(sample) == other.tokenize(sample)
