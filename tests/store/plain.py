"""Every measure once more, the slow way: dictionaries and loops over the rows that a study was published from."""

from collections import Counter, defaultdict
from collections.abc import Iterable

import pandas as pd

from bertnesia.store.queries import Comparison, Question

Ranks = dict[int, dict[int, float]]
"""By fact, by layer."""


class Plain:
    """The rows of a study, and its measures counted one fact at a time."""

    def __init__(self, facts: pd.DataFrame, ranks: pd.DataFrame, *, base: str = "mini", depth: int = 4) -> None:
        self.base, self.depth = base, depth
        self.facts = {row["fact"]: row for row in facts.to_dict("records")}
        self.runs: dict[tuple[str, str, int, str], dict[tuple[int, int], dict[str, int]]] = defaultdict(dict)
        for row in ranks.to_dict("records"):
            key = (row["model"], row["kind"], int(row["seed"]), row["variant"])
            self.runs[key][row["fact"], int(row["layer"])] = row

    def ranks(self, key: tuple[str, str, int, str], *, filtered: bool = False, middle: bool = False) -> Ranks:
        found: Ranks = defaultdict(dict)
        for (fact, layer), row in self.runs.get(key, {}).items():
            rank = row["filtered_rank"] if filtered else row["rank"]
            found[fact][layer] = rank + row["ties"] / 2 if middle else rank
        return found

    def run(self, model: str, question: Question) -> Ranks:
        kind = "trained" if question.kind == "base" and model == self.base else question.kind
        key = (model, kind, question.seed, question.variant)
        return self.ranks(key, filtered=question.filtered, middle=question.middle)

    def scope(self, asked: Question | Comparison) -> list[int]:
        return [
            fact
            for fact, row in self.facts.items()
            if row["probe_set"] == asked.probe_set and (not asked.relations or row["relation"] in asked.relations)
        ]

    def shared(self, question: Question) -> list[int]:
        runs = [self.run(model, question) for model in question.models]
        return [fact for fact in self.scope(question) if all(fact in run for run in runs)]

    def by_relation(self, facts: Iterable[int]) -> dict[str, list[int]]:
        groups = defaultdict(list)
        for fact in facts:
            groups[str(self.facts[fact]["relation"])].append(fact)
        return groups

    def averaged(self, scores: dict[int, float], facts: list[int], average: str) -> float:
        """The mean score; facts without one score 0."""
        groups = list(self.by_relation(facts).values()) if average == "macro" else [facts]
        return mean([mean([scores.get(fact, 0.0) for fact in group]) for group in groups])

    def layers(self, question: Question, average: str) -> dict[tuple[str, int], tuple[int, int, float, float]]:
        """By model and layer: facts, right ones, P@k, MRR."""
        result = {}
        for model in question.models:
            run = self.run(model, question)
            facts = self.scope(question) if question.all_facts else self.shared(question)
            for layer in sorted({layer for ranks in run.values() for layer in ranks}):
                here = {fact: run[fact][layer] for fact in facts if fact in run}
                right = {fact: float(rank <= question.k) for fact, rank in here.items()}
                inverse = {fact: 1 / rank for fact, rank in here.items()}
                result[model, layer] = (
                    len(facts),
                    int(sum(right.values())),
                    self.averaged(right, facts, average),
                    self.averaged(inverse, facts, average),
                )
        return {key: values for key, values in result.items() if values[0]}

    def outcomes(self, base: dict[int, float], model: dict[int, float], k: int) -> Counter[str]:
        """Counts of the facts that both have."""
        counts: Counter[str] = Counter()
        for fact in base.keys() & model.keys():
            before, after = base[fact] <= k, model[fact] <= k
            counts["facts"] += 1
            counts["right_in_base"] += before
            counts["right_in_model"] += after
            counts["retained"] += before and after
            counts["forgotten"] += before and not after
            counts["learned"] += after and not before
        return counts

    def sides(self, comparison: Comparison) -> tuple[Ranks, Ranks]:
        same = "trained" if comparison.kind == "base" and comparison.base == self.base else comparison.kind
        options = {"filtered": comparison.filtered, "middle": comparison.middle}
        base = (
            comparison.base,
            comparison.base_kind or same,
            comparison.seed if comparison.base_seed is None else comparison.base_seed,
            comparison.base_variant or comparison.variant,
        )
        model = (comparison.model, comparison.kind, comparison.seed, comparison.variant)
        scope = set(self.scope(comparison))
        if comparison.among:
            scope &= set(self.shared(comparison.of_models(*comparison.among)))
        found = [self.ranks(key, **options) for key in (base, model)]
        before, after = ({fact: ranks for fact, ranks in side.items() if fact in scope} for side in found)
        return before, after


def at(ranks: Ranks, layer: int | None) -> dict[int, float]:
    """Each fact's rank at a layer, or its best over the layers."""
    if layer is None:
        return {fact: min(by_layer.values()) for fact, by_layer in ranks.items()}
    return {fact: by_layer[layer] for fact, by_layer in ranks.items() if layer in by_layer}


def known(by_layer: dict[int, float], k: int) -> tuple[int | None, int | None]:
    """The first layer with a rank of at most k, and the one from which on it stays there."""
    first = next((layer for layer in sorted(by_layer) if by_layer[layer] <= k), None)
    stays = None
    for layer in sorted(by_layer, reverse=True):
        if by_layer[layer] > k:
            break
        stays = layer
    return first, stays


def mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else float("nan")
