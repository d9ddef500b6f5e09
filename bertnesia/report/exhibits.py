"""What a report is made of: sections of exhibits, each a table and, where a picture says more, a figure of it."""

from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd
import plotly.graph_objects as go

from bertnesia.figures.style import colours, labels, markers
from bertnesia.store import queries
from bertnesia.store.study import Study


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A table, its figure, and how to read them.

    `name` is unique in its report: what the CSV file and the anchor are called. Of the table's columns, `shares` are
    shown in per cent; files keep them as they are.
    """

    name: str
    title: str
    table: pd.DataFrame
    reading: str
    shares: frozenset[str] = frozenset()
    figure: go.Figure | None = None
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Exhibits under one heading, and what is said of all of them."""

    title: str
    text: str
    exhibits: tuple[Exhibit, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report, ready to be written."""

    title: str
    description: str
    made_by: str
    created: datetime
    sections: tuple[Section, ...]

    @property
    def exhibits(self) -> tuple[Exhibit, ...]:
        """All exhibits in order."""
        return tuple(exhibit for section in self.sections for exhibit in section.exhibits)


@dataclass(frozen=True, slots=True)
class Cast:
    """The models of role `model` in the study's order, with what they are called and drawn with everywhere.

    `labels` has those of controls of fine-tuning, too.
    """

    base: str
    labels: dict[str, str]
    layers: dict[str, int]
    bases: dict[str, str]
    colours: dict[str, str] = field(default_factory=dict)
    markers: dict[str, str] = field(default_factory=dict)

    def chosen(self, models: tuple[str, ...]) -> dict[str, str]:
        """Labels of these models, in the study's order."""
        return {name: label for name, label in self.labels.items() if name in models}

    def named(self, table: pd.DataFrame) -> pd.DataFrame:
        """A table with what the models in its column `model` are called."""
        return table.assign(model=table["model"].map(lambda name: self.labels.get(name, name)))

    def tuned(self, models: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the models that were fine-tuned from the study's base."""
        return tuple(name for name in self.labels if name in models and self.bases.get(name) == self.base)


def cast_of(study: Study) -> Cast:
    """The models that pages show."""
    table = queries.models(study)
    called = labels(table)
    table = table[table["role"] == "model"]
    names = tuple(str(name) for name in table["model"])
    return Cast(
        base=study.base,
        labels=called,
        layers=dict(zip(names, table["layers"].astype(int), strict=True)),
        bases={name: base for name, base in zip(names, table["base"], strict=True) if isinstance(base, str)},
        colours=colours(names),
        markers=markers(names),
    )
