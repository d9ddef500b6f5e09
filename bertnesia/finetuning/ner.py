"""Named-entity recognition by token classification: the first token of every word says its tag."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from bertnesia.corpora import frame
from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.batches import fill_batches, pad
from bertnesia.finetuning.conll import OUTSIDE, Sentence, span_scores
from bertnesia.finetuning.inputs import Pair, collate, forward, need_offsets, on_device
from bertnesia.finetuning.mlm import IGNORED


@dataclass(frozen=True, slots=True)
class TaggedPiece:
    """As much of a sentence as the model reads at once: its tokens, and the tag's number where a word begins.

    `words` has the position in the sentence of each of those words.
    """

    sentence: int
    ids: list[int]
    labels: list[int]
    words: list[int]


class EntityRecognition:
    """The `ner` objective: cross entropy of the tag at every word's first token. Devlin et al. 2019, section 5.3."""

    name = "ner"

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        train: Sequence[Sentence],
        held_out: Sequence[Sentence],
        tags: Sequence[str],
        *,
        max_tokens: int,
        batch_tokens: int = 4096,
    ) -> None:
        if not train or not held_out:
            raise BertnesiaError("There is no sentence to train on or none to hold out: add sentences.")
        self.padding = tokenizer.pad_token_id
        self.tags = list(tags)
        self.batch_tokens = batch_tokens
        self.train = list(cut_sentences(tokenizer, train, self.tags, max_tokens))
        self.lengths = [len(piece.ids) for piece in self.train]
        self.held_out = held_out
        self.held_out_pieces = list(cut_sentences(tokenizer, held_out, self.tags, max_tokens))

    def batch(self, indices: Sequence[int], random: np.random.Generator) -> dict[str, Tensor]:  # noqa: ARG002
        return self._collate([self.train[i] for i in indices])

    def loss(self, model: PreTrainedModel, batch: dict[str, Tensor]) -> Tensor:
        logits = forward(model, batch).logits
        return nn.functional.cross_entropy(logits.flatten(0, 1), batch["labels"].flatten(), ignore_index=IGNORED)

    @torch.inference_mode()
    def evaluate(self, model: PreTrainedModel) -> dict[str, float]:
        """`loss` in nats per word; `precision`, `recall` and `f1` over entities; the number of `sentences`."""
        cast(nn.Module, model).eval()
        losses: list[float] = []
        guesses = [[OUTSIDE] * len(sentence.words) for sentence in self.held_out]
        for pieces in self._held_out_batches():
            batch = on_device(model, self._collate(pieces))
            logits, begins = forward(model, batch).logits, batch["labels"] != IGNORED
            losses += nn.functional.cross_entropy(logits[begins], batch["labels"][begins], reduction="none").tolist()
            for piece, row, mask in zip(pieces, logits.argmax(-1), begins, strict=True):
                for word, tag in zip(piece.words, row[mask].tolist(), strict=True):
                    guesses[piece.sentence][word] = self.tags[tag]
        scores = span_scores([sentence.tags for sentence in self.held_out], guesses)
        return {"loss": fmean(losses), **scores, "sentences": float(len(self.held_out))}

    def _held_out_batches(self) -> Iterator[list[TaggedPiece]]:
        lengths = [len(piece.ids) for piece in self.held_out_pieces]
        for indices in fill_batches(np.argsort(lengths, kind="stable"), lengths, self.batch_tokens):
            yield [self.held_out_pieces[i] for i in indices]

    def _collate(self, pieces: Sequence[TaggedPiece]) -> dict[str, Tensor]:
        inputs = collate([Pair(piece.ids, [0] * len(piece.ids)) for piece in pieces], self.padding)
        return {**inputs, "labels": pad([piece.labels for piece in pieces], IGNORED)}


def all_tags(sentences: Sequence[Sentence]) -> list[str]:
    """`O`, then `B-` and `I-` of every type in the sentences, in alphabetical order."""
    types = sorted({tag[2:] for sentence in sentences for tag in sentence.tags if tag != OUTSIDE})
    return [OUTSIDE, *(f"{mark}-{kind}" for kind in types for mark in "BI")]


def cut_sentences(
    tokenizer: PreTrainedTokenizerBase, sentences: Sequence[Sentence], tags: Sequence[str], max_tokens: int
) -> Iterator[TaggedPiece]:
    """The sentences as the model reads them, long ones cut between words into pieces of at most `max_tokens`.

    A word of more tokens than a piece has room for is cut short; one that the tokenizer drops has no tag to predict.

    Raises:
        BertnesiaError: if the tokenizer does not know where its tokens stand in the text.
    """
    need_offsets(tokenizer)
    before, after = frame(tokenizer)
    room = max_tokens - len(before) - len(after)
    numbers = {tag: number for number, tag in enumerate(tags)}
    for index, sentence in enumerate(sentences):
        piece: list[tuple[int, list[int]]] = []
        for word, ids in enumerate(tokens_of_words(tokenizer, sentence.words)):
            if sum(len(have) for _, have in piece) + len(ids[:room]) > room:
                yield _piece(index, sentence, piece, numbers, before, after)
                piece = []
            if ids:
                piece.append((word, ids[:room]))
        if piece:
            yield _piece(index, sentence, piece, numbers, before, after)


def _piece(
    index: int,
    sentence: Sentence,
    piece: Sequence[tuple[int, list[int]]],
    numbers: dict[str, int],
    before: list[int],
    after: list[int],
) -> TaggedPiece:
    labels = [IGNORED] * len(before)
    for word, ids in piece:
        labels += [numbers[sentence.tags[word]], *[IGNORED] * (len(ids) - 1)]
    tokens = [token for _, ids in piece for token in ids]
    return TaggedPiece(index, [*before, *tokens, *after], labels + [IGNORED] * len(after), [word for word, _ in piece])


def tokens_of_words(tokenizer: PreTrainedTokenizerBase, words: Sequence[str]) -> list[list[int]]:
    """The token ids of each word of a sentence, as they are when the whole sentence is tokenised."""
    text = " ".join(words)
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    owner = [word for word, spelling in enumerate(words) for _ in f" {spelling}"][1:]
    tokens: list[list[int]] = [[] for _ in words]
    for token, (_, end) in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True):
        if end:  # by its last character, as its first may be the space before the word
            tokens[owner[end - 1]].append(token)
    return tokens
