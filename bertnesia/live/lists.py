"""Lists of prompts, answered by the engine that probes fact files."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from bertnesia.errors import BertnesiaError
from bertnesia.listfiles import ListedPrompt
from bertnesia.live.limits import check_k
from bertnesia.live.results import UnrankedWord
from bertnesia.live.service import LiveModels
from bertnesia.live.shelf import Loaded
from bertnesia.probes.eligibility import Prompt
from bertnesia.probing.engine import layer_scores, make_shards, mask_states
from bertnesia.probing.ranks import log_probabilities, rank_answers
from bertnesia.sentences import answers_for, check_prompt, split_words

MOST_ROWS = 2_000_000
"""Rows that the results of one list may have."""

BATCH_TOKENS = 512
"""Fewer than in probing, so that a visitor with one prompt never waits long behind a list."""

_READ_AT_ONCE = 200
_KEYS = ("number", "prompt", "mask", "answer", "model", "kind", "layer", "rank", "log_probability")

Tell = Callable[[float, float, str], None]
"""Takes what is done, the total, and a note; may raise to end the work."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ListResult:
    """What a list of prompts gave.

    `rows` has one for each model, prompt, mask and layer, in this order: number (of the prompt, from 1), prompt, mask,
    answer, model, kind, layer, rank and log_probability of the answer (missing where there is none of one token), and
    the likeliest words as word_1, probability_1, word_2, ... `problems` names what could not be asked or ranked:
    number, prompt, model, problem.
    """

    rows: pd.DataFrame
    problems: pd.DataFrame


@dataclass(frozen=True, slots=True)
class _Question:
    """One mask (counted from 0) of one prompt, as a model is asked it; `token` is that of the right answer, if any."""

    listed: ListedPrompt
    mask: int
    input_ids: tuple[int, ...]
    position: int
    answer: str
    token: int | None


def ask_list(
    live: LiveModels,
    prompts: Sequence[ListedPrompt],
    models: Sequence[str],
    kind: str = "trained",
    k: int = 5,
    tell: Tell = lambda *_: None,
) -> ListResult:
    """Ask all layers of some models every prompt of a list, in batches that let single prompts pass.

    Raises:
        BertnesiaError: if a model, kind or `k` cannot be used, or the results would be too many.
    """
    names = list(dict.fromkeys(models))
    live.check_models(names)
    check_k(k)
    tables: list[pd.DataFrame] = []
    problems: list[tuple[int, str, str, str]] = []
    for place, name in enumerate(names):
        tell(place, len(names), f"reading the list for {name}")
        turn = _Turn(live, name, kind, k)
        questions, faults = turn.read(prompts)
        problems += [(listed.number, listed.text, name, fault) for listed, fault in faults]
        _check_size(len(questions) * turn.layers * len(names))
        batches: list[pd.DataFrame] = []
        answered = 0
        for count, table in turn.answers(questions):
            batches.append(table)
            answered += count
            tell(place + answered / len(questions), len(names), name)
        if batches:
            tables.append(pd.concat(batches, ignore_index=True).sort_values(["number", "mask", "layer"]))
    return ListResult(
        pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[*_KEYS]),
        pd.DataFrame(problems, columns=["number", "prompt", "model", "problem"]),
    )


def _check_size(rows: int) -> None:
    if rows > MOST_ROWS:
        raise BertnesiaError(
            f"The results would have {rows:,} rows, more than {MOST_ROWS:,}: shorten the list or choose fewer models."
        )


class _Turn:
    """One model's turn with a list; whatever touches the model is a task of the queue that lets others pass."""

    def __init__(self, live: LiveModels, name: str, kind: str, k: int) -> None:
        self.live = live
        self.name = name
        self.kind = kind
        self.k = k
        self.layers, entries = self._do(lambda loaded: (loaded.model.layers, len(loaded.model.tokenizer)))
        check_k(k, name, entries)

    def read(self, prompts: Sequence[ListedPrompt]) -> tuple[list[_Question], list[tuple[ListedPrompt, str]]]:
        """The questions that the prompts hold, and what is wrong with those that cannot be asked or ranked."""
        questions: list[_Question] = []
        faults: list[tuple[ListedPrompt, str]] = []
        for start in range(0, len(prompts), _READ_AT_ONCE):
            self._do(partial(_read, prompts[start : start + _READ_AT_ONCE], questions, faults))
        return questions, faults

    def answers(self, questions: Sequence[_Question]) -> Iterator[tuple[int, pd.DataFrame]]:
        """Batch by batch, how many questions were answered, and the rows."""
        prompts = [
            Prompt(number, "", one.listed.text, one.input_ids, one.position, one.token or 0, ())
            for number, one in enumerate(questions)
        ]
        for shard in make_shards(prompts, BATCH_TOKENS):
            for batch in shard.batches:
                asked = [questions[prompt.fact] for prompt in batch]
                yield len(batch), self._do(partial(_answer, batch, asked, self.name, self.kind, self.k))

    def _do(self, task: Callable[[Loaded], T]) -> T:
        workshop, checkpoint = self.live.workshop, self.live.checkpoints[self.name]
        return workshop.queue.submit(lambda: task(workshop.shelf.get(checkpoint, self.kind)), urgent=False).result()


def _read(
    prompts: Sequence[ListedPrompt],
    questions: list[_Question],
    faults: list[tuple[ListedPrompt, str]],
    loaded: Loaded,
) -> None:
    for listed in prompts:
        try:
            check_prompt(listed.text)
            encoded = loaded.reader.prompt(listed.text, loaded.model.max_tokens)
        except BertnesiaError as error:
            faults.append((listed, str(error)))
            continue
        answers = split_words(listed.answer)
        for mask, position in enumerate(encoded.masks):
            right = next(iter(answers_for(answers, mask)), "")
            (token,) = loaded.reader.tokens([right], mask, encoded) if right else (None,)
            if isinstance(token, tuple):
                faults.append((listed, UnrankedWord(right, token).sentence))
            known = token if isinstance(token, int) else None
            questions.append(_Question(listed, mask, encoded.ids, position, right, known))


@torch.inference_mode()
def _answer(
    batch: Sequence[Prompt], questions: Sequence[_Question], name: str, kind: str, k: int, loaded: Loaded
) -> pd.DataFrame:
    """The rows of one batch."""
    hidden = mask_states(loaded.model, batch)
    asked = {
        "number": [one.listed.number for one in questions],
        "prompt": [one.listed.text for one in questions],
        "mask": [one.mask + 1 for one in questions],
        "answer": [one.answer for one in questions],
        "model": name,
        "kind": kind,
    }
    tables = [
        pd.DataFrame({**asked, "layer": layer, **_ranks(scores, questions), **_words(scores, k, loaded)})
        for layer, scores in layer_scores(loaded.model.of_kind(kind), hidden)
    ]
    return pd.concat(tables, ignore_index=True)


def _ranks(scores: Tensor, questions: Sequence[_Question]) -> dict[str, Any]:
    """Rank and log-probability of the answers, missing where there is none."""
    tokens = {row: one.token for row, one in enumerate(questions) if one.token is not None}
    ranks, logs = np.full((2, len(questions)), np.nan)
    if tokens:
        rows = np.array(list(tokens))
        chosen, answers = scores[rows], torch.tensor(list(tokens.values()), device=scores.device)
        ranks[rows] = rank_answers(chosen, answers)[0].cpu().numpy()
        logs[rows] = log_probabilities(chosen, answers).cpu().numpy()
    return {"rank": pd.array(ranks).astype("Int64"), "log_probability": logs}


def _words(scores: Tensor, k: int, loaded: Loaded) -> dict[str, Any]:
    """The likeliest words, best first, and their probabilities."""
    values, ids = scores.topk(k, dim=1)
    probabilities = (values - scores.logsumexp(1, keepdim=True)).exp().cpu().numpy()
    places, inverse = np.unique(ids.cpu().numpy(), return_inverse=True)
    words = np.array([loaded.written(int(place)) for place in places], dtype=object)[inverse]
    columns: dict[str, Any] = {}
    for place in range(k):
        columns[f"word_{place + 1}"] = words[:, place]
        columns[f"probability_{place + 1}"] = probabilities[:, place]
    return columns
