"""Probing all layers, against the encoder alone and against the original procedure."""

import resource
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from benchmarks.sizes import Size, layered_model, prompts, trex_lengths
from bertnesia.finetuning.batches import pad
from bertnesia.models.layered import LayeredModel
from bertnesia.probes.eligibility import Prompt
from bertnesia.probing.engine import BATCH_TOKENS, Shard, make_shards, probe_shard

TOP_RANKED = 1000
"""How many predictions the original procedure looked through for the answer."""
MEMORY = 1.5
"""GB that probing may take beyond the encoder."""


def measure(size: Size = Size(), batch_tokens: int = BATCH_TOKENS, original: int = 32, repeats: int = 2) -> str:  # noqa: B008
    """A Markdown table of prompts per second, the fastest of `repeats` runs over one batch of each length.

    The original procedure is timed on the first `original` prompts.
    """
    model = layered_model(size)
    mixed = trex_lengths(batch_tokens // 11)
    bare = _bare_memory(model, batch_tokens)
    rows = [
        *_against_encoder(model, mixed, "T-REx's lengths, 11 tokens on average", 60, repeats),
        *_against_encoder(model, [32] * (batch_tokens // 32), "32 tokens", 80, repeats),
        f"| memory beyond the bare encoder's, GB | {_peak() - bare:.2f} | | at most {MEMORY} |",
        *_against_original(model, mixed, original, repeats),
    ]
    title = f"probing {size.layers} layers, {size.width} wide, {size.vocabulary:,} words"
    return "\n".join((f"| {title} | prompts a second | ratio | at least |", "|---|---:|---:|---:|", *rows))


def _bare_memory(model: LayeredModel, batch_tokens: int) -> float:
    """The most memory so far, in GB, once the encoder alone has read the longest batch."""
    _encode(model, _shard(model, [32] * (batch_tokens // 32)))
    return _peak()


def _peak() -> float:
    """The most memory that this process has had, in GB; Linux counts it in KB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def _against_encoder(
    model: LayeredModel, lengths: Sequence[int], name: str, least: int, repeats: int
) -> tuple[str, str]:
    shard = _shard(model, lengths)
    bare, probing = _fastest([lambda: _encode(model, shard), lambda: _probe(model, shard)], repeats)
    return (
        f"| bare encoder, {name} | {len(lengths) / bare:.1f} | | |",
        f"| all layers, {name} | {len(lengths) / probing:.1f} | {100 * bare / probing:.0f} % | {least} % |",
    )


def _against_original(model: LayeredModel, lengths: Sequence[int], original: int, repeats: int) -> tuple[str]:
    shard = _shard(model, lengths)
    some = [prompt for batch in shard.batches for prompt in batch][:: max(1, len(lengths) // original)][:original]
    seconds, probing = _fastest([lambda: original_procedure(model, some), lambda: _probe(model, shard)], repeats)
    before, now = len(some) / seconds, len(lengths) / probing
    return (f"| original procedure, the same lengths | {before:.2f} | {now / before:.1f} times | 10 times |",)


def _shard(model: LayeredModel, lengths: Sequence[int]) -> Shard:
    (shard,) = make_shards(prompts(lengths, len(model.tokenizer)))
    return shard


@torch.inference_mode()
def _encode(model: LayeredModel, shard: Shard) -> None:
    for batch in shard.batches:
        ids = pad([prompt.input_ids for prompt in batch], 0)
        model.encoder(input_ids=ids, attention_mask=(ids != 0).long())


def _probe(model: LayeredModel, shard: Shard) -> None:
    probe_shard(model, "bench", ["trained"], shard)


@torch.inference_mode()
def original_procedure(model: LayeredModel, asked: Sequence[Prompt], batch: int = 32) -> list[list[int]]:
    """Ranks layer by layer as the original code found them, counted from 0 and cut off at 1,000.

    For every layer the encoder is run anew in batches of 32, every position is decoded into log-probabilities, and
    each fact's answer is looked for in a list of the most likely words.
    """
    decoders = model.of_kind("trained")
    ranks = []
    for layer in decoders.layers:
        found = []
        for start in range(0, len(asked), batch):
            some = asked[start : start + batch]
            ids = pad([prompt.input_ids for prompt in some], 0)
            states = model.states(ids, (ids != 0).long())
            head = decoders.head(layer)
            scores = torch.nn.functional.linear(head.features(states[layer - 1]), head.output, head.bias)
            log_probabilities = scores.log_softmax(-1)
            for prompt, sentence in zip(some, log_probabilities, strict=True):
                _, top = sentence[prompt.mask_position].topk(TOP_RANKED)
                words = [{"i": i, "token": model.tokenizer.convert_ids_to_tokens(int(w))} for i, w in enumerate(top)]
                answer = model.tokenizer.convert_ids_to_tokens(prompt.answer)
                found.append(next((word["i"] for word in words if word["token"] == answer), TOP_RANKED))
        ranks.append(found)
    return ranks


def _fastest(actions: Sequence[Callable[[], object]], repeats: int) -> list[float]:
    """Seconds of the fastest run of each action, taken by turns."""
    seconds = np.full(len(actions), np.inf)
    for _ in range(repeats):
        for i, action in enumerate(actions):
            began = time.perf_counter()
            action()
            seconds[i] = min(seconds[i], time.perf_counter() - began)
    return seconds.tolist()


if __name__ == "__main__":
    sys.stdout.write(measure() + "\n")
