"""Models as every page shows them: same name, hue and marker everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass

from bertnesia.figures.style import colours, labels, markers
from bertnesia.store import queries
from bertnesia.store.study import Study
from bertnesia.ui.study import ask


@dataclass(frozen=True, slots=True)
class Models:
    """The models of a study in its order, the base first; variants of one for its measures are not among them."""

    names: tuple[str, ...]
    base: str
    labels: dict[str, str]
    """What to call each, and each control of fine-tuning."""
    bases: dict[str, str]
    """The base of each fine-tuned model."""
    layers: dict[str, int]
    colours: dict[str, str]
    markers: dict[str, str]

    def label(self, name: str) -> str:
        """What to call a model on screen."""
        return self.labels.get(name, name)

    def chosen_labels(self, names: Sequence[str]) -> dict[str, str]:
        """Labels of these models, in the study's order."""
        return {name: self.labels[name] for name in self.names if name in names}


def models_of(study: Study) -> Models:
    """The study's models."""
    table = ask(study, queries.models)
    called = labels(table)
    table = table[table["role"] == "model"]
    names = tuple(table["model"])
    rows = list(table[["model", "base", "layers"]].itertuples(index=False, name=None))
    return Models(
        names=names,
        base=study.base,
        labels=called,
        bases={name: base for name, base, _ in rows if isinstance(base, str) and base in names},
        layers={name: int(layers) for name, _, layers in rows},
        colours=colours(names),
        markers=markers(names),
    )
