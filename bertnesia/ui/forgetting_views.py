"""The closer looks of the Forgetting page at one comparison: a figure each, with its table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from bertnesia.analysis import forgetting
from bertnesia.analysis.measures import percent
from bertnesia.figures.forgetting import lost_and_buried, outcomes_by_layer, outcomes_by_relation, rank_changes
from bertnesia.store import queries
from bertnesia.store.study import Study
from bertnesia.titles import probe_set_name
from bertnesia.ui import programs_forgetting
from bertnesia.ui.figures import Column, show_figure, show_table
from bertnesia.ui.forgetting_answers import right
from bertnesia.ui.forgetting_runs import show_data, show_objectives, show_steps, show_text
from bertnesia.ui.glossary import GLOSSARY
from bertnesia.ui.models import Models
from bertnesia.ui.study import ask

OUTCOMES = {
    "facts": Column("Facts", "count"),
    "right_in_base": Column("Right in base", "count"),
    "right_in_model": Column("Right after", "count"),
    "retained": Column("Retained", "count", GLOSSARY["outcome"]),
    "forgotten": Column("Forgotten", "count", GLOSSARY["outcome"]),
    "learned": Column("Learned", "count", GLOSSARY["outcome"]),
    "forgetting_rate": Column("Forgetting rate", "share", GLOSSARY["forgetting rate"]),
    "forgetting interval": Column("95 %", "interval", GLOSSARY["interval"]),
    "net_change": Column("Net change", "change", GLOSSARY["net change"]),
    "net interval": Column("95 %", "interval", GLOSSARY["interval"]),
}

TESTS = {
    "p": Column("p", "p", GLOSSARY["p"]),
    "p_holm": Column("p, corrected", "p", GLOSSARY["p"]),
    "cohens_h": Column("Effect, h", "score", GLOSSARY["effect"]),
}

READING_RELATIONS = (
    "Each bar is one relation: grey and red are what the base has right, grey and blue what is right after "
    "fine-tuning. The relation that lost most stands on top; the number of facts is in brackets. **Click a bar** to "
    "list its facts below."
)
READING_LAYERS = (
    "Each bar is one layer, read with that layer's own decoder: grey and red together are what the base has right "
    "there, grey and blue what is right after fine-tuning."
)
READING_RANKS = (
    "How many places the right answer moved, layer by layer: to the left it got worse, to the right better; the "
    "stronger the colour, the further. Facts whose rank stayed the same are left white. Moves by a few places "
    "far from the top change no answer; look at the strong colours."
)
READING_DEPTH = (
    "Of the facts that the last layer forgot: **lost** means that no layer of the fine-tuned model says the right "
    "answer first any more, **buried** that an earlier layer still does and a later one overwrites it."
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a view is about."""

    study: Study
    comparison: queries.Comparison
    models: Models

    @property
    def pair(self) -> str:
        """Both models by name."""
        return f"{self.models.label(self.comparison.model)} against {self.models.label(self.comparison.base)}"

    def note(self, facts: int, where: str | None = None) -> str:
        """What is counted: n, the probe set, when a fact is right, the decoders."""
        one = self.comparison
        at = where or ("any layer" if one.layer is None else f"layer {one.layer}")
        probe_set = probe_set_name(one.probe_set)
        return f"{facts:,} facts of {probe_set}; right: {right(one.k)} at {at}; {one.kind} decoders"


def show_view(view: str, study: Study, comparison: queries.Comparison, models: Models) -> None:
    """Draw the chosen view."""
    VIEWS[view](Shown(study, comparison, models))


def show_relations(shown: Shown) -> None:
    """What became of each relation's facts, with a paired test each."""
    counts = ask(shown.study, tested_relations, shown.comparison)

    def pick(points: list[dict[str, Any]]) -> None:
        if points:
            st.session_state["relation"] = counts["relation"].iloc[points[0]["point_index"]]

    worst = counts.iloc[0]
    note = shown.note(int(counts["facts"].sum()))
    words = {"title": f"{shown.pair}, by relation", "note": note}
    show_figure(
        outcomes_by_relation(counts, **words),
        name="forgetting",
        alt=f"{shown.pair}: {note}. Most forgotten: {worst.label}, {worst.forgotten} of {worst.facts} facts.",
        reading=READING_RELATIONS,
        on_click=pick,
        code=programs_forgetting.relations(shown.study, shown.comparison, words),
    )
    sure = int((counts["p_holm"] < 0.05).sum())
    st.caption(
        f"{sure} of {len(counts)} relations changed by more than chance: McNemar's test on the same facts, p below "
        "0.05 after Holm's correction for testing all of them."
    )
    with st.expander("Table"):
        columns = {"label": Column("Relation"), **OUTCOMES, **TESTS}
        show_table(counts, columns, name="forgetting-table", alt="Counts, rates and tests per relation")


def show_layers(shown: Shown) -> None:
    """What was retained, forgotten and learned at each layer."""
    question = shown.comparison.of_models(shown.comparison.model)
    counts = forgetting.rates(ask(shown.study, queries.forgetting_by_layer, question))
    note = shown.note(int(counts["facts"].max()), "each layer")
    worst = counts.iloc[int(counts["net_change"].to_numpy().argmin())]
    words = {"title": f"{shown.pair}, by layer", "note": note}
    show_figure(
        outcomes_by_layer(counts, **words),
        name="forgetting-by-layer",
        alt=f"{shown.pair}: {note}. Largest loss at layer {int(worst.layer)}: {percent(-worst.net_change)}.",
        reading=READING_LAYERS,
        code=programs_forgetting.layers(shown.study, shown.comparison, words),
    )
    with st.expander("Table"):
        columns = {"layer": Column("Layer", "count"), **OUTCOMES}
        show_table(counts, columns, name="forgetting-by-layer", alt="Counts and rates per layer")


def show_ranks(shown: Shown) -> None:
    """How far the rank of the right answer moved."""
    changes = ask(shown.study, queries.rank_changes_by_layer, shown.comparison)
    facts = int(changes["of"].max())
    tested = ask(shown.study, tested_ranks, shown.comparison)
    total = tested[tested["relation"] == ""].iloc[0]
    words = {
        "title": f"{shown.pair}: how far ranks moved",
        "note": f"{facts:,} facts of {probe_set_name(shown.comparison.probe_set)} at each layer; "
        f"{shown.comparison.kind} decoders",
    }
    show_figure(
        rank_changes(changes, **words),
        name="rank-changes",
        alt=f"Rank changes by layer over {facts:,} facts. {int(total.worse):,} worse and {int(total.better):,} better.",
        reading=READING_RANKS,
        code=programs_forgetting.ranks(shown.study, shown.comparison, words),
    )
    where = "best over the layers" if shown.comparison.layer is None else f"at layer {shown.comparison.layer}"
    st.caption(
        f"Ranks {where}: {int(total.worse):,} worse, {int(total.better):,} better, of {int(total.facts):,} facts; "
        f"rank-biserial correlation {total.rank_biserial:+.2f} (Wilcoxon's signed-rank test, p {p_text(total.p)})."
    )
    with st.expander("Table"):
        columns = {
            "layer": Column("Layer", "count"),
            "change": Column("Bin", "count", GLOSSARY["bin"]),
            "facts": Column("Facts", "count"),
            "of": Column("of", "count"),
        }
        show_table(changes, columns, name="rank-changes", alt="Facts per layer and bin of rank change")


def show_depth(shown: Shown) -> None:
    """Whether what the last layer forgot is lost or buried."""
    table = ask(shown.study, queries.lost_and_buried, shown.comparison)
    table = table.sort_values(["lost", "forgotten"], ascending=False, kind="stable")
    forgotten, lost = int(table["forgotten"].sum()), int(table["lost"].sum())
    words = {
        "title": f"{shown.pair}: lost or buried",
        "note": f"{forgotten:,} facts forgotten at the last layer; {shown.comparison.kind} decoders",
    }
    show_figure(
        lost_and_buried(table, **words),
        name="lost-and-buried",
        alt=f"Of {forgotten:,} facts forgotten at the last layer, {lost:,} are lost at every layer.",
        reading=READING_DEPTH,
        code=programs_forgetting.depth(shown.study, shown.comparison, words),
    )
    with st.expander("Table"):
        columns = {
            "label": Column("Relation"),
            "facts": Column("Facts", "count"),
            "forgotten": Column("Forgotten", "count", GLOSSARY["outcome"]),
            "lost": Column("Lost", "count", GLOSSARY["lost"]),
            "buried": Column("Buried", "count", GLOSSARY["lost"]),
            "lost_10": Column("Lost at rank 10", "count", GLOSSARY["lost"]),
            "buried_10": Column("Buried at rank 10", "count", GLOSSARY["lost"]),
        }
        show_table(table, columns, name="lost-and-buried", alt="Lost and buried facts per relation")


def tested_relations(study: Study, comparison: queries.Comparison) -> pd.DataFrame:
    """Counts and rates per relation with McNemar's test and Holm's correction, the one that lost most first."""
    from bertnesia.analysis.significance import holm, mcnemar  # noqa: PLC0415 - scipy is slow to load

    return holm(mcnemar(forgetting.rates(forgetting.by_loss(queries.forgetting(study, comparison)))))


def tested_ranks(study: Study, comparison: queries.Comparison) -> pd.DataFrame:
    """Changes of rank per relation and over all, with Wilcoxon's test."""
    from bertnesia.analysis.significance import wilcoxon  # noqa: PLC0415 - scipy is slow to load

    return wilcoxon(queries.signed_ranks(study, comparison))


def p_text(p: float) -> str:
    """A p-value as it is written: never 0."""
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


VIEWS: dict[str, Callable[[Shown], None]] = {
    "relations": show_relations,
    "layers": show_layers,
    "rank changes": show_ranks,
    "lost or buried": show_depth,
    "all objectives": lambda shown: show_objectives(shown.study, shown.comparison, shown.models),
    "steps": lambda shown: show_steps(shown.study, shown.comparison, shown.models),
    "amount of data": lambda shown: show_data(shown.study, shown.comparison, shown.models),
    "training text": lambda shown: show_text(shown.study, shown.comparison, shown.models),
}
