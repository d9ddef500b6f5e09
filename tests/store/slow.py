"""The queries' numbers computed the slow way, in plain Python over plain rows."""

from collections import Counter, defaultdict
from itertools import chain

import pandas as pd

from bertnesia.store.queries import Comparison, Question


def shared_facts(ranks: pd.DataFrame, facts: pd.DataFrame, question: Question) -> list[dict[str, object]]:
    """Facts of the probe set (and relations) for which every model has ranks of the kind."""
    rows = []
    asked = {(row["model"], row["fact"]) for row in ranks.to_dict("records") if row["kind"] == question.kind}
    for fact in facts.to_dict("records"):
        everywhere = all((model, fact["fact"]) in asked for model in question.models)
        wanted = not question.relations or fact["relation"] in question.relations
        if fact["probe_set"] == question.probe_set and wanted and everywhere:
            rows.append(fact)
    return rows


def layer_measures(
    ranks: pd.DataFrame, facts: pd.DataFrame, question: Question, average: str
) -> dict[tuple[str, int], dict[str, float]]:
    relation_of = {fact["fact"]: fact["relation"] for fact in shared_facts(ranks, facts, question)}
    column = "filtered_rank" if question.filtered else "rank"
    found: dict[tuple[str, int], dict[object, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row in ranks.to_dict("records"):
        if row["model"] in question.models and row["kind"] == question.kind and row["fact"] in relation_of:
            found[row["model"], row["layer"]][relation_of[row["fact"]]].append(row[column])
    result = {}
    for key, relations in found.items():
        groups = list(relations.values()) if average == "macro" else [list(chain(*relations.values()))]
        result[key] = {
            "facts": sum(len(group) for group in relations.values()),
            "relations": len(relations),
            "correct": sum(rank <= question.k for group in relations.values() for rank in group),
            "precision": _mean([_mean([rank <= question.k for rank in group]) for group in groups]),
            "mrr": _mean([_mean([1 / rank for rank in group]) for group in groups]),
        }
    return result


def prior(ranks: pd.DataFrame, facts: pd.DataFrame, question: Question, average: str) -> tuple[float, float]:
    """P@k and MRR of the list of each relation's objects, commonest first and then by the alphabet."""
    by_relation: dict[object, list[dict[str, object]]] = defaultdict(list)
    for fact in shared_facts(ranks, facts, question):
        by_relation[fact["relation"]].append(fact)
    groups = []
    for rows in by_relation.values():
        counts = Counter(str(row["object"]).lower() for row in rows)
        order = sorted(counts, key=lambda name: (-counts[name], name))
        places = []
        for row in rows:
            subject = str(row["subject"]).lower()
            others = {str(other["object"]).lower() for other in rows if str(other["subject"]).lower() == subject}
            name = str(row["object"]).lower()
            left = [one for one in order if one == name or not (question.filtered and one in others)]
            places.append(left.index(name) + 1)
        groups.append(places)
    groups = groups if average == "macro" else [list(chain(*groups))]
    precision = _mean([_mean([place <= question.k for place in group]) for group in groups])
    return precision, _mean([_mean([1 / place for place in group]) for group in groups])


def outcomes(ranks: pd.DataFrame, facts: pd.DataFrame, comparison: Comparison) -> dict[str, dict[str, list[int]]]:
    """Fact numbers by relation and outcome (retained, forgotten, learned, neither)."""
    column = "filtered_rank" if comparison.filtered else "rank"
    found: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    seen: dict[tuple[str, int], list[int]] = defaultdict(list)
    for row in ranks.to_dict("records"):
        if row["kind"] == comparison.kind and comparison.layer in (None, row["layer"]):
            seen[row["model"], row["fact"]].append(row[column])
    for fact in facts.to_dict("records"):
        if fact["probe_set"] != comparison.probe_set:
            continue
        ranks_of_both = [seen[model, fact["fact"]] for model in (comparison.base, comparison.model)]
        right = [min(mine) <= comparison.k for mine in ranks_of_both if mine]
        if len(right) == 2:
            name = {(True, True): "retained", (True, False): "forgotten", (False, True): "learned"}
            found[fact["relation"]][name.get((right[0], right[1]), "neither")].append(fact["fact"])
    return found


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
