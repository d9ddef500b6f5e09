"""What depends on the wording: several templates of a relation, and whether they are answered alike."""

from collections.abc import Sequence
from typing import Literal

import pandas as pd

GROUPS = ("model", "kind", "layer", "probe_set", "relation")
MEASURES = ("mean", "best", "consistency", "all_alike", "agreement", "consistent_accuracy")


def by_relation(answers: pd.DataFrame, k: int = 1) -> pd.DataFrame:
    """How a relation's templates compare, over the facts that all of them ask.

    Measures:
    - `mean` and `best`: P@k averaged over the templates, and the largest. `best_template` says whose that is, the first
      one's of equals; it is an oracle, chosen by the same facts.
    - `consistency`: that of Elazar et al. (2021, arXiv 2102.01017, section 4), the share of all pairs of templates that
      a fact's two first predictions agree in, right or wrong, averaged over facts. Theirs chooses among the relation's
      objects, here the whole vocabulary does, unless there is an answer space.
    - `all_alike`: the share of facts that all templates answer alike.
    - `agreement`: the share of pairs of templates that are both right or both wrong, averaged over facts.
    - `consistent_accuracy`: the share of facts that all templates have right (their "Consistent-Acc").

    Args:
        answers: one row for each fact and template (`variant`): relation, fact, variant, rank, and prediction, the
            first one, where it is known; model, kind, layer and probe_set where there are several.
        k: the rank up to which a fact counts as right.

    Returns:
        The groups, templates, facts, mean, best, best_template, consistency, all_alike, agreement and
        consistent_accuracy. What speaks of pairs is missing where there is one template, and what speaks of
        predictions where there are none.
    """
    keys = [name for name in GROUPS if name in answers.columns]
    asked = _asked_by_all(answers, keys).assign(right=lambda table: table["rank"] <= k)
    by_template = asked.groupby([*keys, "variant"], sort=False)["right"].mean().reset_index()
    by_template = by_template.sort_values("variant", key=_plain_first, ignore_index=True)
    best = by_template.loc[by_template.groupby(keys, sort=False)["right"].idxmax()].set_index(keys)
    facts = _of_facts(asked, keys)
    table = facts.groupby(keys, sort=False).agg(
        templates=("templates", "first"),
        facts=("fact", "size"),
        **{name: (name, "mean") for name in MEASURES if name in facts.columns},
    )
    table["mean"] = by_template.groupby(keys, sort=False)["right"].mean()
    table["best"], table["best_template"] = best["right"], best["variant"]
    columns = ["templates", "facts", "mean", "best", "best_template", *MEASURES[2:]]
    return table.reindex(columns=columns).reset_index()


def overall(relations: pd.DataFrame, average: Literal["micro", "macro"] = "macro") -> pd.DataFrame:
    """The measures of `by_relation` averaged over relations (macro), or weighted by their facts (micro).

    Returns:
        The groups without relation; relations, facts and the measures, each over the relations that have it.
    """
    keys = [name for name in GROUPS[:-1] if name in relations.columns]
    rows = []
    for values, group in relations.groupby(keys, sort=False, dropna=False) if keys else [((), relations)]:
        weights = group["facts"] if average == "micro" else pd.Series(1.0, index=group.index)
        known = {name: group[name].notna() for name in MEASURES}
        means = {
            name: (group[name] * weights)[known[name]].sum() / weights[known[name]].sum() if known[name].any() else None
            for name in MEASURES
        }
        counts = {"relations": len(group), "facts": int(group["facts"].sum())}
        rows.append({**dict(zip(keys, values, strict=True)), **counts, **means})
    return pd.DataFrame(rows).astype(dict.fromkeys(MEASURES, "float64"))


def at_any_layer(answers: pd.DataFrame) -> pd.DataFrame:
    """The same table without layers: each fact's and template's best rank over them, and no prediction.

    What `by_relation` makes of it counts a fact as right if some layer has it right.
    """
    keys = [name for name in (*GROUPS, "fact", "variant") if name in answers.columns and name != "layer"]
    return answers.groupby(keys, sort=False)["rank"].min().reset_index()


def _asked_by_all(answers: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """The rows of facts that all templates of their group ask."""
    templates = answers.groupby(list(keys), sort=False)["variant"].transform("nunique")
    of_fact = answers.groupby([*keys, "fact"], sort=False)["variant"].transform("nunique")
    return answers.assign(templates=templates)[of_fact == templates]


def _of_facts(asked: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """One row for each fact, with what its templates have in common."""
    by_fact = [*keys, "fact"]
    facts = asked.groupby(by_fact, sort=False).agg(templates=("templates", "first"), right=("right", "sum"))
    n, right = facts["templates"], facts["right"]
    pairs = _pairs(n)
    facts["agreement"] = (_pairs(right) + _pairs(n - right)) / pairs.where(pairs > 0)
    facts["consistent_accuracy"] = (right == n).astype("float64").where(n > 1)
    if "prediction" in asked.columns:
        alike = asked.groupby([*by_fact, "prediction"], sort=False).size()
        same = _pairs(alike).groupby(by_fact, sort=False).sum()
        facts["consistency"] = same / pairs.where(pairs > 0)
        facts["all_alike"] = (same == pairs).astype("float64").where(n > 1)
    return facts.reset_index()


def _pairs(n: pd.Series) -> pd.Series:
    """How many pairs n things make."""
    return n * (n - 1) / 2


def _plain_first(variants: pd.Series) -> pd.Series:
    return variants.where(variants != "plain", "")
