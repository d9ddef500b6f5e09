"""Pseudo-log-likelihood: how likely a sentence is to a masked language model, one masked token after the other."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.batches import fill_batches
from bertnesia.models.layered import LayeredModel
from bertnesia.probing.choices import ChoiceShard, Sentence, statement, tokenise
from bertnesia.probing.engine import (
    BATCH_TOKENS,
    NO_PREDICTIONS,
    TOP,
    layer_scores,
    mask_states,
    row_asking,
    row_keys,
)
from bertnesia.probing.ranks import filter_ranks, rank_answers

ORIGINAL = "original"
WITHIN_WORD = "within_word_l2r"
SCORINGS = (ORIGINAL, WITHIN_WORD)
"""`original` masks one token at a time (Salazar et al., 2020, arXiv 1910.14659); `within_word_l2r` masks with it the
tokens that follow in the same word, which else give it away (Kauf and Ivanova, 2023, arXiv 2305.10588)."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MaskedSentence:
    """A sentence with one token, or the rest of a word, masked; the token at `mask_position` is to be predicted."""

    input_ids: tuple[int, ...]
    mask_position: int


@dataclass(frozen=True, slots=True)
class Term:
    """One token's part in a sentence's score: which sentence, which masked one predicts it, and its id."""

    sentence: int
    masked: int
    token: int


def masked_sentences(sentences: Sequence[Sentence], scoring: str, mask: int) -> tuple[list[MaskedSentence], list[Term]]:
    """What a model must read to score sentences, each masked sentence once: candidates of one token share theirs.

    Args:
        sentences: to score.
        scoring: `original` or `within_word_l2r`.
        mask: id of the mask token.

    Raises:
        BertnesiaError: if there is no such scoring.
    """
    if scoring not in SCORINGS:
        raise BertnesiaError(f"There is no scoring {scoring!r} of candidates; there are: {', '.join(SCORINGS)}.")
    numbers: dict[MaskedSentence, int] = {}
    terms: list[Term] = []
    for number, sentence in enumerate(sentences):
        for position, word in enumerate(sentence.words):
            if word is not None:
                end = _end_of_word(sentence.words, position) if scoring == WITHIN_WORD else position + 1
                ids = (*sentence.input_ids[:position], *[mask] * (end - position), *sentence.input_ids[end:])
                masked = numbers.setdefault(MaskedSentence(ids, position), len(numbers))
                terms.append(Term(number, masked, sentence.input_ids[position]))
    return list(numbers), terms


def _end_of_word(words: Sequence[int | None], position: int) -> int:
    end = position + 1
    while end < len(words) and words[end] == words[position]:
        end += 1
    return end


def sentence_scores(
    model: LayeredModel, decoders: Sequence[str], sentences: Sequence[Sentence], scoring: str
) -> dict[tuple[str, int], Floats]:
    """Pseudo-log-likelihoods, (sentences,), by decoders and layer: sums of natural logarithms of probabilities.

    One pass of the encoder for each masked sentence serves all layers and decoders.
    """
    masked, terms = masked_sentences(sentences, scoring, model.tokenizer.mask_token_id)
    owners = np.array([term.sentence for term in terms])
    tokens = torch.tensor([term.token for term in terms])
    where: list[list[int]] = [[] for _ in masked]
    for i, term in enumerate(terms):
        where[term.masked].append(i)
    lengths = [len(one.input_ids) for one in masked]
    totals: dict[tuple[str, int], Floats] = {}
    for batch in fill_batches(np.argsort(lengths, kind="stable"), lengths, BATCH_TOKENS):
        chosen = torch.tensor([i for number in batch for i in where[number]])
        rows = torch.tensor([row for row, number in enumerate(batch) for _ in where[number]])
        states = mask_states(model, [masked[number] for number in batch])
        for name, layer, logs in _log_probabilities(model, decoders, states, rows, tokens[chosen]):
            total = totals.setdefault((name, layer), np.zeros(len(sentences)))
            np.add.at(total, owners[chosen.numpy()], logs)
    return totals


def _log_probabilities(
    model: LayeredModel, decoders: Sequence[str], states: torch.Tensor, rows: torch.Tensor, tokens: torch.Tensor
) -> Iterator[tuple[str, int, Floats]]:
    """The log-probability of `tokens` (n,) at the masks in `rows` (n,), by decoders and layer."""
    for name in decoders:
        for layer, scores in layer_scores(model.of_kind(name), states):
            logs = scores[rows, tokens] - scores.logsumexp(1)[rows]
            yield name, layer, logs.cpu().numpy().astype(np.float64)


def probe_choices(
    model: LayeredModel,
    name: str,
    decoders: Sequence[str],
    shard: ChoiceShard,
    variant: str = "plain",
    shown: Container[str] | None = None,
) -> tuple[pa.Table, pa.Table]:
    """Let the layers of a model choose among the candidates of a shard's facts.

    Arguments are those of `probe_shard`, and so are the columns: but ranks count candidates, the log-probability is the
    pseudo-log-likelihood of the right sentence, and predictions are the top candidates, with their scores as
    probabilities that add up to 1 over the answer space.
    """
    statements = [statement(choice.text, candidate) for choice in shard.choices for candidate in choice.candidates]
    totals = sentence_scores(model, decoders, tokenise(statements, model.tokenizer), shard.scoring)
    ranks: list[pa.Table] = []
    predictions: list[pa.Table] = [NO_PREDICTIONS]
    for (each, layer), total in totals.items():
        heads = model.of_kind(each)
        scores = torch.from_numpy(total.reshape(len(shard.choices), -1))
        keys = row_keys(name, heads.kind, layer, shard.choices)
        asking = row_asking(shard.prompts, heads.seed, variant)
        ranks.append(pa.table({**keys, **asking, **_rank_columns(scores, shard)}))
        if shown is None or each in shown:
            predictions.append(pa.table({**keys, **_top_columns(scores, shard.choices[0].candidates)}))
    return pa.concat_tables(ranks), pa.concat_tables(predictions)


def _rank_columns(scores: torch.Tensor, shard: ChoiceShard) -> dict[str, pa.Array]:
    answers = torch.tensor([choice.answer for choice in shard.choices])
    ranks, ties = rank_answers(scores, answers)
    filtered = filter_ranks(scores, answers, ranks, [choice.also_right for choice in shard.choices])
    return {
        "rank": pa.array(ranks.numpy().astype(np.int32)),
        "filtered_rank": pa.array(filtered.numpy().astype(np.int32)),
        "ties": pa.array(ties.numpy().astype(np.int32)),
        "log_probability": pa.array(scores.gather(1, answers[:, None])[:, 0].numpy().astype(np.float32)),
    }


def _top_columns(scores: torch.Tensor, candidates: Sequence[str]) -> dict[str, pa.Array]:
    k = min(TOP, scores.shape[1])
    probabilities, places = scores.softmax(1).topk(k, dim=1)
    offsets = pa.array(np.arange(0, scores.shape[0] * k + 1, k, dtype=np.int32))
    values = pa.array(probabilities.flatten().numpy().astype(np.float32))
    return {
        "tokens": pa.ListArray.from_arrays(offsets, pa.array([candidates[i] for i in places.flatten().tolist()])),
        "probabilities": pa.ListArray.from_arrays(offsets, values),
    }
