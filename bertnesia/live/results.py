"""What a live cloze prompt asks for, and what comes back."""

from dataclasses import dataclass
from pathlib import Path

from bertnesia.analysis.parting import parting_layer


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a model's files are: its own, those of the base whose head decodes it (None for the base), the decoders."""

    folder: str
    base: str | None = None
    decoders: Path | None = None
    base_decoders: Path | None = None

    @property
    def decoder_folder(self) -> Path:
        """The folder that holds one folder for each kind of trained decoders."""
        return self.decoders or Path(self.folder) / "decoders"

    @property
    def base_folder(self) -> Path:
        """The same of the base: of this model where it has none."""
        return self.decoder_folder if self.base is None else self.base_decoders or Path(self.base) / "decoders"


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt for some models.

    `k` words are returned for each layer; `watched` are words whose rank is returned, too; `answers` are the right
    answers, one for each mask, or one for all. The first of the models is the one that the others are compared with.
    """

    prompt: str
    models: tuple[str, ...]
    kind: str = "trained"
    k: int = 5
    watched: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RankedWord:
    """The rank (1 is best) and probability of one word at one layer, and the token that it is in the mask's place."""

    word: str
    token: str
    rank: int
    probability: float


@dataclass(frozen=True, slots=True)
class UnrankedWord:
    """A word that is not one token of the vocabulary, and the tokens it is made of."""

    word: str
    pieces: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What is wrong with it, and why that matters."""
        if not self.pieces:
            return f"{self.word!r} is nothing to the vocabulary, so it has no rank."
        parts = f"{len(self.pieces)}: {', '.join(self.pieces)}" if len(self.pieces) > 1 else self.pieces[0]
        return f"{self.word!r} is not one token of the vocabulary but {parts}, so it has no rank."


@dataclass(frozen=True, slots=True)
class Distance:
    """How far two predictions are apart, over the whole vocabulary.

    `total_variation` is half the sum of the differences of probabilities: 0 for the same prediction, 1 for two that
    share no word. `divergence` is the Kullback-Leibler divergence, in nats, from the reference to this model.
    """

    total_variation: float
    divergence: float


@dataclass(frozen=True, slots=True)
class LayerPrediction:
    """What one layer predicts for one mask.

    `tokens` and `probabilities` are the likeliest, best first, and `ranks_before` their ranks one layer earlier, which
    layer 1 does not have. `also` ranks, best first, every word that one of the models has among its likeliest at this
    layer. `distance` is that to the same layer of the first model that was asked, where the two can be compared.
    """

    layer: int
    tokens: tuple[str, ...]
    probabilities: tuple[float, ...]
    watched: tuple[RankedWord, ...]
    ranks_before: tuple[int, ...] | None = None
    answer: RankedWord | None = None
    also: tuple[RankedWord, ...] = ()
    distance: Distance | None = None


@dataclass(frozen=True, slots=True)
class ClozeResult:
    """One model's predictions for one mask (counted from 1), layer by layer, and the words that have no rank."""

    model: str
    kind: str
    mask: int
    layers: tuple[LayerPrediction, ...]
    unranked: tuple[UnrankedWord, ...] = ()

    @property
    def parts_at(self) -> int | None:
        """The layer from which on, up to the last, this model's predictions are apart from the first model's."""
        return parting_layer(
            {layer.layer: layer.distance.total_variation for layer in self.layers if layer.distance is not None}
        )

    @property
    def right_at(self) -> tuple[int, ...]:
        """The layers whose likeliest word is the right answer."""
        return tuple(layer.layer for layer in self.layers if layer.answer is not None and layer.answer.rank == 1)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A model that cannot answer, and why, in a sentence."""

    model: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A result for each model that can answer and each mask, in the order of the request; and the other models."""

    results: tuple[ClozeResult, ...]
    refusals: tuple[Refusal, ...] = ()
