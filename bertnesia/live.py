"""Live cloze prompts: every layer of several models at once."""

import os
import threading
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from bertnesia.errors import BertnesiaError, UnrankedWordError
from bertnesia.models.decoders import saved_kinds
from bertnesia.models.layered import LayeredModel, load_layered
from bertnesia.probes.eligibility import MaskWriter
from bertnesia.probes.facts import MASK
from bertnesia.store.study import Study

MOST_MASKS = 4
MOST_PREDICTIONS = 100
MASK_SPELLINGS = (MASK, "<mask>", "___")
"""What may stand for a masked word in a typed prompt."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a model's files are: its own, those of the base whose head decodes it (None for the base), its decoders."""

    folder: str
    base: str | None = None
    decoders: Path | None = None


@dataclass(frozen=True, slots=True)
class WatchedWord:
    """The rank (1 is best) and probability of a word that is watched."""

    word: str
    rank: int
    probability: float


@dataclass(frozen=True, slots=True)
class LayerPrediction:
    """What one layer predicts for one mask: the likeliest tokens, best first, and the watched words."""

    layer: int
    tokens: tuple[str, ...]
    probabilities: tuple[float, ...]
    watched: tuple[WatchedWord, ...]


@dataclass(frozen=True, slots=True)
class ClozeResult:
    """One model's predictions for one mask (counted from 1), layer by layer."""

    model: str
    kind: str
    mask: int
    layers: tuple[LayerPrediction, ...]


class LiveModels:
    """Models of one base, loaded when first asked, that answer cloze prompts; safe to share between threads."""

    def __init__(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        self._checkpoints = dict(checkpoints)
        self._loaded: dict[str, LayeredModel] = {}
        self._one_at_a_time = threading.Lock()
        # With more threads than idle cores a small model's prompt takes ten times as long.
        torch.set_num_threads(max(1, (os.cpu_count() or 2) // 2))

    @property
    def names(self) -> tuple[str, ...]:
        """The models that can be asked."""
        return tuple(self._checkpoints)

    def predict(
        self, prompt: str, models: Sequence[str], kind: str = "trained", k: int = 5, watched: Sequence[str] = ()
    ) -> list[ClozeResult]:
        """Ask all layers of the models for the masked words of a prompt.

        Args:
            prompt: a sentence with one to four masks, written `[MASK]`, `<mask>` or `___`.
            models: names of models.
            kind: decoder kind.
            k: how many predictions to return for each layer.
            watched: words whose rank and probability to return as well; each must be one token.

        Returns:
            A result for each model and mask.

        Raises:
            UnrankedWordError: if a watched word is not one token.
            BertnesiaError: if the prompt, a name or `k` cannot be used.
        """
        check_prompt(prompt)
        if not 1 <= k <= MOST_PREDICTIONS:
            raise BertnesiaError(f"k is {k}, but must be between 1 and {MOST_PREDICTIONS}.")
        if not models:
            raise BertnesiaError("Choose at least one model.")
        if unknown := [name for name in models if name not in self._checkpoints]:
            raise BertnesiaError(f"There is no model {unknown[0]!r}; there are: {', '.join(self.names)}.")
        with self._one_at_a_time:
            results: list[ClozeResult] = []
            for name in dict.fromkeys(models):
                model = self._load(name)
                ids = encode_prompt(prompt, model)
                words = word_ids(watched, model.tokenizer)
                if k > len(model.tokenizer):
                    raise BertnesiaError(f"k is {k}, but the vocabulary of {name} has {len(model.tokenizer)} entries.")
                results.extend(_answer(name, model, kind, ids, k, words))
            return results

    def _load(self, name: str) -> LayeredModel:
        if name not in self._loaded:
            checkpoint = self._checkpoints[name]
            decoders = checkpoint.decoders or Path(checkpoint.folder) / "decoders"
            kinds = ["stock", *saved_kinds(decoders)]
            self._loaded[name] = load_layered(checkpoint.folder, checkpoint.base, kinds, decoders)
        return self._loaded[name]


def live_models(study: Study) -> LiveModels:
    """The models of a study; folders that it names are relative to the database's own, other names are the hub's."""
    root = study.path.parent
    models = study.models().astype(object).where(lambda table: table.notna(), None).set_index("model")
    folders = {
        name: str(root / folder) if (root / folder).is_dir() else folder for name, folder in models["folder"].items()
    }
    return LiveModels(
        {
            str(name): Checkpoint(
                folders[name], folders.get(row["base"]), root / row["decoder_folder"] if row["decoder_folder"] else None
            )
            for name, row in models.iterrows()
        }
    )


def check_prompt(prompt: str) -> None:
    """Refuse a prompt that no model could answer.

    Raises:
        BertnesiaError: if it is empty, holds control characters, or has no mask or too many.
    """
    if not prompt.strip():
        raise BertnesiaError("The prompt is empty: type a sentence with [MASK] in place of a word.")
    if any(unicodedata.category(character) == "Cc" and character not in "\t\n\r" for character in prompt):
        raise BertnesiaError("The prompt holds control characters: remove them.")
    masks = normalise_masks(prompt).count(MASK)
    if masks == 0:
        raise BertnesiaError("The prompt has no mask: put [MASK] in place of the word to predict.")
    if masks > MOST_MASKS:
        raise BertnesiaError(f"The prompt has {masks} masks, but at most {MOST_MASKS} can be asked at once.")


def normalise_masks(prompt: str) -> str:
    """The prompt with every spelling of a masked word replaced by `[MASK]`."""
    for spelling in MASK_SPELLINGS:
        prompt = prompt.replace(spelling, MASK)
    return prompt


def encode_prompt(prompt: str, model: LayeredModel) -> list[int]:
    """Token ids of a prompt, special tokens included.

    Raises:
        BertnesiaError: if it is longer than the model takes.
    """
    text = MaskWriter(model.tokenizer)(normalise_masks(prompt))
    ids: list[int] = model.tokenizer(text, verbose=False)["input_ids"]
    if len(ids) > model.max_tokens:
        raise BertnesiaError(
            f"The prompt is {len(ids)} tokens long, but the model takes at most {model.max_tokens}: shorten it."
        )
    return ids


def word_ids(words: Sequence[str], tokenizer: PreTrainedTokenizerBase) -> dict[str, int]:
    """The token id of each word.

    Raises:
        UnrankedWordError: if a word is not exactly one known token.
    """
    found = {}
    for word in words:
        pieces = tokenizer.tokenize(word)
        if len(pieces) != 1 or pieces[0] == tokenizer.unk_token:
            shown = ", ".join(pieces) or "nothing"
            raise UnrankedWordError(f"{word!r} is not one token of the vocabulary but {shown}, so it has no rank.")
        found[word] = tokenizer.get_vocab()[pieces[0]]
    return found


@torch.inference_mode()
def _answer(
    name: str, model: LayeredModel, kind: str, ids: list[int], k: int, words: Mapping[str, int]
) -> list[ClozeResult]:
    inputs = torch.tensor([ids])
    masks = inputs[0] == model.tokenizer.mask_token_id
    states = model.encoder(
        input_ids=inputs, attention_mask=torch.ones_like(inputs), output_hidden_states=True
    ).hidden_states
    hidden = torch.stack([state[0, masks] for state in states[1:]], dim=1)
    decoders = model.of_kind(kind)
    biases = torch.stack([head.bias for head in decoders.heads])
    # All heads share one output matrix, so one product serves all layers.
    scores = decoders.features(hidden) @ decoders.heads[0].output.T + biases
    return [
        ClozeResult(name, kind, number + 1, tuple(_layers(scores[number], model.tokenizer, k, words)))
        for number in range(scores.shape[0])
    ]


def _layers(
    scores: Tensor, tokenizer: PreTrainedTokenizerBase, k: int, words: Mapping[str, int]
) -> list[LayerPrediction]:
    """Predictions from scores (layers, vocab)."""
    probabilities = scores.softmax(-1)
    top, ids = probabilities.topk(k)
    layers = []
    for i in range(len(scores)):
        watched = tuple(
            WatchedWord(word, 1 + int((scores[i] > scores[i, index]).sum()), float(probabilities[i, index]))
            for word, index in words.items()
        )
        tokens = tuple(tokenizer.convert_ids_to_tokens(ids[i].tolist()))
        layers.append(LayerPrediction(i + 1, tokens, tuple(top[i].tolist()), watched))
    return layers
