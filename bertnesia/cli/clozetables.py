"""Predictions as tables for a terminal, 80 columns and wider."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bertnesia.live import ClozeResult, LayerPrediction, RankedWord
from bertnesia.plain import visible

_BORDERS = 4
"""Characters that a column takes beside its text, the table's own edge included."""


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of ranks: its heading, and a cell for each layer."""

    heading: str
    cells: tuple[str, ...]

    @property
    def width(self) -> int:
        return max(map(len, (self.heading, *self.cells)))


def show(console: Console, results: Sequence[ClozeResult], layers: Sequence[int]) -> None:
    """Print the predictions of every model for every mask, then the ranks of watched words, then what follows."""
    marks = "+-" if console.options.ascii_only else "▲▼"
    for _, group in groupby(sorted(results, key=lambda result: result.mask), key=lambda result: result.mask):
        found = list(group)
        for result in found:
            console.print(_predictions(result, layers, marks, console.width))
        for table in _rank_tables(found, layers, console.width):
            console.print(table)
        for sentence in dict.fromkeys(_sentences(found)):
            console.print(sentence, markup=False, highlight=False)
    console.print(f"{marks[0]}{marks[1]}: better or worse placed than one layer before.", highlight=False)
    if any(layer.distance for result in results for layer in result.layers):
        first = results[0].model
        console.print(
            f"apart: total variation from {visible(first)} (0: the same prediction, 1: no word in common).",
            markup=False,
            highlight=False,
        )


def _predictions(result: ClozeResult, layers: Sequence[int], marks: str, width: int) -> Table:
    shown = [layer for layer in result.layers if layer.layer in layers]
    compared = any(layer.distance for layer in shown)
    table = Table("layer", "predictions", title=f"{escape(result.model)}, mask {result.mask}, {result.kind} decoders")
    if compared:
        table.add_column("apart", justify="right")
    room = width - len("layer") - len("apart") * compared - _BORDERS * (2 + compared)
    for layer in shown:
        cells = [str(layer.layer), escape(_packed(_words(layer, marks), room))]
        if compared:
            cells.append(f"{layer.distance.total_variation:.2f}" if layer.distance else "")
        table.add_row(*cells)
    return table


def _words(layer: LayerPrediction, marks: str) -> list[str]:
    """Each word with its probability, and whether it stands better or worse than one layer before."""
    before = layer.ranks_before or range(1, len(layer.tokens) + 1)
    moves = [
        marks[0] if rank > place else marks[1] if rank < place else "" for place, rank in enumerate(before, start=1)
    ]
    return [
        f"{visible(token)} {probability:.0%}{move}"
        for token, probability, move in zip(layer.tokens, layer.probabilities, moves, strict=True)
    ]


def _packed(parts: Sequence[str], width: int) -> str:
    """The parts, two spaces between them, in lines of at most `width`; none is broken unless it alone is too long."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + 2 + len(part) <= width:
            lines[-1] += f"  {part}"
        else:
            lines.append(part)
    return "\n".join(lines)


def _rank_tables(results: Sequence[ClozeResult], layers: Sequence[int], width: int) -> Iterator[Table]:
    """The ranks of the answer and of watched words: a table for each word and a column for each model, as many as fit.

    One model alone gets one table with a column for each word.
    """
    words = list(dict.fromkeys(word for result in results for word in _ranked(result)))
    mask = results[0].mask
    if len(results) == 1:
        columns = [_column(f"rank of {word}", results[0], word, layers) for word in words]
        yield from _tables(f"{results[0].model}, mask {mask}", columns, layers, width)
        return
    for word in words:
        columns = [_column(result.model, result, word, layers) for result in results]
        yield from _tables(f"rank of {word}, mask {mask}", columns, layers, width)


def _tables(title: str, columns: Sequence[_Column], layers: Sequence[int], width: int) -> Iterator[Table]:
    room = width - len("layer") - _BORDERS
    chunks: list[list[_Column]] = []
    for column in columns:
        if not chunks or sum(one.width + _BORDERS for one in (*chunks[-1], column)) > room:
            chunks.append([])
        chunks[-1].append(column)
    for chunk in chunks:
        table = Table("layer", title=escape(visible(title)))
        for column in chunk:
            table.add_column(escape(visible(column.heading)), justify="right", overflow="fold")
        for place, layer in enumerate(layers):
            table.add_row(str(layer), *(column.cells[place] for column in chunk))
        yield table


def _ranked(result: ClozeResult) -> dict[str, dict[int, RankedWord]]:
    """The right answer, then the watched words, each with what it has at each layer."""
    words: dict[str, dict[int, RankedWord]] = {}
    for layer in result.layers:
        if layer.answer:
            words.setdefault(f"{layer.answer.word} (right)", {})[layer.layer] = layer.answer
        for watched in layer.watched:
            if layer.answer is None or watched.word != layer.answer.word:
                words.setdefault(watched.word, {})[layer.layer] = watched
    return words


def _column(heading: str, result: ClozeResult, word: str, layers: Sequence[int]) -> _Column:
    ranks = _ranked(result).get(word, {})
    cells = (f"{ranks[layer].rank:,} ({ranks[layer].probability:.1%})" if layer in ranks else "" for layer in layers)
    return _Column(heading, tuple(cells))


def _sentences(results: Sequence[ClozeResult]) -> Iterator[str]:
    """Words without a rank, who has the right answer where, and where the models part."""
    for result in results:
        yield from (word.sentence for word in result.unranked)
    known = results[0].right_at
    for place, result in enumerate(results):
        if answer := result.layers[-1].answer:
            forgotten = [layer for layer in known if layer not in result.right_at] if place else []
            end = f"; forgotten at {_at(forgotten)}" if forgotten else ""
            yield f"{result.model} has {visible(answer.word)} first at {_at(result.right_at)}{end}."
    for result in results[1:]:
        if result.parts_at:
            yield (
                f"{result.model} parts from {results[0].model} at layer {result.parts_at}: from there on half of the "
                "probability or more lies on other words."
            )


def _at(layers: Sequence[int]) -> str:
    if not layers:
        return "no layer"
    return f"layer{'s' if len(layers) > 1 else ''} {', '.join(map(str, layers))}"
