"""Your own sentences, asked at every layer of one model, from Python."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from bertnesia.errors import BertnesiaError
from bertnesia.models.decoders import Decoders, parse_layers, saved_kinds
from bertnesia.models.layered import load_layered
from bertnesia.probes.eligibility import MaskWriter, make_prompts
from bertnesia.probes.facts import MASK, Fact, ProbeSet, Relation
from bertnesia.probing.engine import layer_scores, mask_states
from bertnesia.probing.ranks import rank_answers

_SENTENCE = Relation("cloze", "cloze", "a sentence", None)


@dataclass(frozen=True, slots=True)
class _Masked:
    """A sentence as it is read, and one of its masks."""

    input_ids: tuple[int, ...]
    mask_position: int


class Cloze:
    """One model, loaded once, that answers cloze sentences at every layer."""

    def __init__(
        self,
        model: str | Path,
        base: str | Path | None = None,
        *,
        kinds: Sequence[str] | None = None,
        decoders: str | Path | None = None,
    ) -> None:
        """Load a model with its decoders.

        Args:
            model: its folder or hub name.
            base: its base model, if it has no pre-trained head of its own.
            kinds: the decoder kinds to load; without it those of its folder `decoders`, and `stock`.
            decoders: the folder that holds a folder for each kind, if it is not `decoders` in the model's.

        Raises:
            BertnesiaError: if something is missing, damaged or was made for something else.
        """
        folder = Path(decoders) if decoders else Path(model) / "decoders"
        saved = sorted(saved_kinds(folder), key=lambda kind: (kind != "trained", kind))
        chosen = list(kinds) if kinds is not None else [*saved, "stock"]
        self._model = load_layered(str(model), None if base is None else str(base), chosen, folder)

    @property
    def layers(self) -> int:
        """The number of layers."""
        return self._model.layers

    @property
    def kinds(self) -> tuple[str, ...]:
        """The decoder kinds that were loaded, the default first."""
        return tuple(self._model.decoders)

    def predict(self, prompt: str, layers: str | int = "all", k: int = 5, kind: str | None = None) -> pd.DataFrame:
        """What each layer predicts for each mask of a sentence.

        Args:
            prompt: a sentence with `[MASK]` in place of one or more words.
            layers: `all`, `6`, `1,3` or `2-4`.
            k: how many predictions to return.
            kind: the decoder kind; without it the first that was loaded.

        Returns:
            mask (from 1), layer, place (1 is the likeliest), token, probability.

        Raises:
            BertnesiaError: if the sentence has no mask or is too long, or there is no such layer or kind.
        """
        decoders, chosen = self._decoders(kind), parse_layers(str(layers), self.layers)
        vocabulary = len(self._model.tokenizer)
        if not 1 <= k <= vocabulary:
            raise BertnesiaError(f"k is {k}, but must be between 1 and the vocabulary's {vocabulary} entries.")
        hidden = mask_states(self._model, self._read(prompt))
        rows = []
        for layer, scores in layer_scores(decoders, hidden):
            if layer in chosen:
                probabilities, ids = scores.softmax(-1).topk(k)
                for mask in range(len(scores)):
                    tokens = self._model.tokenizer.convert_ids_to_tokens(ids[mask].tolist())
                    found = zip(tokens, probabilities[mask].tolist(), strict=True)
                    rows += [(mask + 1, layer, i + 1, *each) for i, each in enumerate(found)]
        table = pd.DataFrame(rows, columns=["mask", "layer", "place", "token", "probability"])
        return table.sort_values(["mask", "layer", "place"], ignore_index=True)

    def ranks(
        self, prompt: str, words: str | Sequence[str], layers: str | int = "all", kind: str | None = None
    ) -> pd.DataFrame:
        """Where words stand among all that each layer could say in place of a sentence's one mask.

        Returns:
            word, layer, rank (1 is the likeliest), probability.

        Raises:
            BertnesiaError: if a word is not one token where the mask stands, or as `predict`.
        """
        decoders, chosen = self._decoders(kind), parse_layers(str(layers), self.layers)
        named = [words] if isinstance(words, str) else list(words)
        facts = tuple(Fact("cloze", "cloze", word, word, sentence=prompt) for word in dict.fromkeys(named))
        self._read(prompt)  # what is wrong with the sentence is told before what is wrong with a word
        model = self._model
        asked, refused = make_prompts(ProbeSet("cloze", (_SENTENCE,), facts), model.tokenizer, model.max_tokens)
        if refused:
            word = next(fact.object for fact in facts if fact.id == refused[0].fact)
            raise BertnesiaError(f"{word!r} has no rank in this sentence: {refused[0].reason}.")
        answers = {prompt.fact: prompt.answer for prompt in asked}
        hidden = mask_states(model, asked[:1])
        rows = []
        for layer, scores in layer_scores(decoders, hidden):
            if layer in chosen:
                probabilities = scores[0].softmax(-1)
                for fact in facts:
                    rank = _rank(scores, answers[fact.id])
                    rows.append((fact.object, layer, rank, float(probabilities[answers[fact.id]])))
        table = pd.DataFrame(rows, columns=["word", "layer", "rank", "probability"])
        return table.sort_values(["word", "layer"], ignore_index=True)

    def _decoders(self, kind: str | None) -> Decoders:
        return self._model.of_kind(kind or self.kinds[0])

    def _read(self, prompt: str) -> list[_Masked]:
        """The sentence once for each of its masks."""
        tokenizer, limit = self._model.tokenizer, self._model.max_tokens
        ids = tokenizer(MaskWriter(tokenizer)(prompt), verbose=False)["input_ids"]
        masks = [position for position, token in enumerate(ids) if token == tokenizer.mask_token_id]
        if not masks:
            raise BertnesiaError(f"The sentence has no mask: put {MASK} in place of the word to predict.")
        if len(ids) > limit:
            raise BertnesiaError(f"The sentence is {len(ids)} tokens long, but the model takes at most {limit}.")
        return [_Masked(tuple(ids), position) for position in masks]


def _rank(scores: Tensor, answer: int) -> int:
    ranks, _ = rank_answers(scores, scores.new_tensor([answer], dtype=torch.long))
    return int(ranks[0])
