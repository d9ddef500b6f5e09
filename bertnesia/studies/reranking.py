"""Ranks computed again, and compared with those that were stored."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from bertnesia.models.layered import LayeredModel
from bertnesia.probes.facts import ProbeSet
from bertnesia.probing.engine import Shard
from bertnesia.probing.run import ask
from bertnesia.probing.shards import AnyShard, Prompts, ask_shard, cut_shards
from bertnesia.probing.variants import PARAPHRASES, PLAIN, SUBJECT_MASKED, SUBJECT_SWAPPED

KEYS = ["kind", "variant", "layer", "fact"]
_VALUES = ["rank", "filtered_rank", "log_probability"]
_SURE = 100
"""Up to this rank the same weights and batches give the same rank on one machine; beyond it, 1 more or less."""
_LOG_PROBABILITY = 1e-3
"""Stored are three digits after the point."""
_ROUNDED = 1000
"""One of so many ranks may be next to the stored one: where two words all but tie, processors differ."""


@dataclass(frozen=True, slots=True)
class Reranking:
    """A model that is asked some facts again, with decoders of these kinds."""

    name: str
    model: LayeredModel
    kinds: tuple[str, ...]
    probe_sets: Sequence[ProbeSet]
    sample: float = 1.0
    """The share of the facts that were asked in other words and with other subjects."""

    def mismatches(self, stored: pd.DataFrame, facts: Collection[int]) -> tuple[int, int, list[str]]:
        """Compare stored ranks of some facts with ranks computed now.

        The facts are asked in batches of their own. In another batch a sum may round otherwise, so what differs by no
        more than that is asked again in the batches of the whole probe set, as it was when it was stored.

        Args:
            stored: kind, variant, layer, fact, rank, filtered_rank, log_probability.
            facts: those that are asked, whether stored or not.

        Returns:
            How many ranks were compared, how many of them differ by rounding alone, and a sentence for each other that
            differs. More than one in a thousand are not put down to rounding.
        """
        variants = {str(variant): set(kinds) for variant, kinds in stored.groupby("variant")["kind"]}
        both = _beside(stored, self._rank(facts, variants))
        differing = {i: sentence for i, row in _rows(both) if (sentence := self._compared(row))}
        doubtful = {int(row["fact"]) for i, row in _rows(both) if i in differing and _may_be_rounding(row)}
        if not doubtful:
            return len(both), 0, list(differing.values())
        again = _rows(_beside(stored[stored["fact"].isin(doubtful)], self._rank(doubtful, variants, as_stored=True)))
        sure = [sentence for i, sentence in differing.items() if both.loc[i, "fact"] not in doubtful]
        rounded: list[str] = []
        for _, row in again:
            if sentence := self._compared(row):
                (rounded if _may_be_rounding(row) else sure).append(sentence)
        if len(rounded) > max(1, len(both) // _ROUNDED):
            return len(both), 0, [*sure, *rounded]
        return len(both), len(rounded), sure

    def _rank(
        self, facts: Collection[int], variants: Mapping[str, Collection[str]], as_stored: bool = False
    ) -> pd.DataFrame:
        """Ranks of plain prompts with all kinds, of each of the variants with its kinds."""
        chosen: list[str] = [variant for variant in (SUBJECT_MASKED, SUBJECT_SWAPPED) if variant in variants]
        if any(variant.startswith("paraphrase_") for variant in variants):
            chosen.append(PARAPHRASES)
        tables = []
        for asked in ask(self.probe_sets, self.model, chosen, self.sample):
            for variant, prompts in {PLAIN: asked.prompts, **asked.variants}.items():
                kinds = [kind for kind in self.kinds if variant == PLAIN or kind in variants.get(variant, ())]
                for shard in _shards(prompts, asked.probe_set.scoring, facts, as_stored) if kinds else ():
                    ranks, _ = ask_shard(self.model, self.name, kinds, shard, variant, ())
                    tables.append(ranks.to_pandas())
        table = pd.concat(tables) if tables else pd.DataFrame(columns=[*KEYS, *_VALUES])
        return table.loc[table["fact"].isin(facts), [*KEYS, *_VALUES]]

    def _compared(self, row: Mapping[str, Any]) -> str | None:
        """What differs between a stored rank and the same one computed now."""
        asked = f"{row['kind']} decoder of layer {row['layer']}, {row['variant']} prompt of fact {row['fact']}"
        where = f"{self.name}, {asked}"
        if row["_merge"] != "both":
            return f"{where}: {'no longer asked' if row['_merge'] == 'left_only' else 'not in the study'}."
        for column in ("rank", "filtered_rank"):
            stored, now = int(row[column]), int(row[f"{column}_now"])
            if abs(stored - now) > (0 if stored <= _SURE else 1):
                return f"{where}: the {column.replace('_', ' ')} is {now}, in the study {stored}."
        stored_log, now_log = row["log_probability"], row["log_probability_now"]
        if abs(stored_log - now_log) > _LOG_PROBABILITY:
            return f"{where}: the log-probability is {now_log:.6f}, in the study {stored_log:.6f}."
        return None


def _beside(stored: pd.DataFrame, fresh: pd.DataFrame) -> pd.DataFrame:
    return stored.merge(fresh, on=KEYS, how="outer", suffixes=("", "_now"), indicator=True)


def _rows(table: pd.DataFrame) -> list[tuple[int, dict[str, Any]]]:
    return [(i, {str(name): value for name, value in row.items()}) for i, row in enumerate(table.to_dict("records"))]


def _may_be_rounding(row: Mapping[str, Any]) -> bool:
    if row["_merge"] != "both" or abs(row["log_probability"] - row["log_probability_now"]) > _LOG_PROBABILITY:
        return False
    return all(abs(row[column] - row[f"{column}_now"]) <= 1 for column in ("rank", "filtered_rank"))


def _shards(prompts: Prompts, scoring: str, facts: Collection[int], as_stored: bool) -> list[AnyShard]:
    """The facts' prompts in shards of their own, or the batches of the whole probe set that hold some of them."""
    if not as_stored:
        return cut_shards([prompt for prompt in prompts if prompt.fact in facts], scoring)
    kept: list[AnyShard] = []
    for shard in cut_shards(prompts, scoring):
        if isinstance(shard, Shard):
            batches = tuple(batch for batch in shard.batches if any(prompt.fact in facts for prompt in batch))
            kept += [replace(shard, batches=batches)] if batches else []
        elif any(choice.fact in facts for choice in shard.choices):
            kept.append(shard)
    return kept
