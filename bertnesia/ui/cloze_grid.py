"""The grid of one model's predictions: a row for each layer, its likeliest words side by side."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from bertnesia.figures.style import GAIN, LOSS, OUTCOME_COLOURS
from bertnesia.plain import visible

if TYPE_CHECKING:
    from bertnesia.live import ClozeResult, LayerPrediction, RankedWord

_FIRST_HUE, _TURN = 205.0, 137.508
"""Hues in golden-angle steps: each is far from those before it."""
_LAYER, _ANSWER, _WORD = 2.3, 4.6, 3.1
"""Widths of the columns, in rem."""

STYLE = f"""<style>
.bertnesia-grid {{ overflow-x: auto; margin-bottom: .25rem; }}
.bertnesia-grid table {{ border-collapse: separate; border-spacing: 3px; table-layout: fixed; width: 100%; margin: 0; }}
.bertnesia-grid table {{ border: 0; }}
.bertnesia-grid caption {{ caption-side: top; text-align: left; color: inherit; padding: 0 0 .25rem 3px; }}
.bertnesia-grid caption b {{ font-size: 1.05rem; }}
.bertnesia-grid caption i {{ display: inline-block; width: .7rem; height: .7rem; margin-right: .4rem; }}
.bertnesia-grid th, .bertnesia-grid td {{ border: 0; padding: .2rem .25rem; text-align: left; line-height: 1.25; }}
.bertnesia-grid th {{ font-weight: 400; font-size: .8rem; opacity: .75; white-space: nowrap; }}
.bertnesia-grid tbody th {{ text-align: right; font-variant-numeric: tabular-nums; }}
.bertnesia-grid td {{ border-radius: 4px; font-size: .76rem; overflow: hidden; }}
.bertnesia-grid td bdi {{ display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; }}
.bertnesia-grid td bdi {{ overflow: hidden; overflow-wrap: anywhere; }}
.bertnesia-grid td small {{ font-size: .75rem; opacity: .85; white-space: nowrap; font-variant-numeric: tabular-nums; }}
.bertnesia-grid tr.chosen th {{ opacity: 1; font-weight: 700; }}
.bertnesia-grid tr.chosen th::before {{ content: "▸ "; }}
.bertnesia-grid td.right {{ outline: 2px solid currentColor; outline-offset: -2px; font-weight: 700; }}
.bertnesia-grid td.rank {{ white-space: nowrap; }}
.bertnesia-grid .up {{ color: {GAIN}; }} .bertnesia-grid .down {{ color: {LOSS}; }}
.bertnesia-grid .forgotten {{ color: {OUTCOME_COLOURS["forgotten"]}; font-weight: 700; }}
.bertnesia-grid .learned {{ color: {OUTCOME_COLOURS["learned"]}; font-weight: 700; }}
</style>"""


@dataclass(frozen=True, slots=True)
class Look:
    """How a model's grid is headed, and which layer is chosen."""

    label: str
    colour: str
    note: str
    layer: int


def grid_width(words: int, answered: bool = True) -> float:
    """The width, in rem, that a grid needs at least."""
    return _LAYER + _ANSWER * answered + _WORD * words


def word_hues(results: "Iterable[ClozeResult]") -> dict[str, float]:
    """A hue for each word that is predicted more than once, the commonest first, the same in every grid."""
    counts = Counter(token for result in results for layer in result.layers for token in layer.tokens)
    repeated = [word for word, count in counts.most_common() if count > 1]
    return {word: (_FIRST_HUE + _TURN * place) % 360 for place, word in enumerate(repeated)}


def predictions_grid(
    result: "ClozeResult", hues: Mapping[str, float], look: Look, reference: "ClozeResult | None" = None
) -> str:
    """One model's predictions for one mask, as HTML in which all text is escaped.

    Args:
        result: what the model predicts.
        hues: the hue of each word; others are grey.
        look: its heading.
        reference: what the base predicts: where it has the right answer first and this model has not, that is marked.
    """
    known = set(reference.right_at if reference else ())
    answered = any(layer.answer for layer in result.layers)
    words = len(result.layers[0].tokens)
    places = "".join(f'<th scope="col">{place}</th>' for place in range(1, words + 1))
    heading = f'<th scope="col">Layer</th>{"<th scope=col>Answer</th>" if answered else ""}{places}'
    widths = f'<col style="width: {_LAYER}rem">' + f'<col style="width: {_ANSWER}rem">' * answered
    rows = "".join(_row(layer, hues, look, known if reference else None) for layer in result.layers)
    return (
        f'<div class="bertnesia-grid"><table style="min-width: {grid_width(words, answered)}rem">'
        f'<caption><i style="background:{look.colour}"></i>'
        f"<b><bdi>{_text(look.label)}</bdi></b> {_text(look.note)}</caption><colgroup>{widths}</colgroup>"
        f"<thead><tr>{heading}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(layer: "LayerPrediction", hues: Mapping[str, float], look: Look, known: set[int] | None) -> str:
    before = layer.ranks_before or (None,) * len(layer.tokens)
    right = layer.answer.token if layer.answer else None
    cells = "".join(
        _cell(token, probability, hues.get(token), _move(place, rank), token == right)
        for place, (token, probability, rank) in enumerate(zip(layer.tokens, layer.probabilities, before, strict=True))
    )
    chosen = ' class="chosen"' if layer.layer == look.layer else ""
    answer = _answer(layer.answer, layer.layer, known) if layer.answer else ""
    return f'<tr{chosen}><th scope="row">{layer.layer}</th>{answer}{cells}</tr>'


def _cell(token: str, probability: float, hue: float | None, move: str, right: bool) -> str:
    colour = "hsla(220, 8%, 50%, {})" if hue is None else f"hsla({hue:.0f}, 70%, 50%, {{}})"
    bar = f"linear-gradient({colour.format(0.85)}, {colour.format(0.85)}) 0 100% / {probability:.1%} 3px no-repeat"
    return (
        f'<td{" class=right" if right else ""} style="background: {bar}, {colour.format(0.16)}" '
        f'title="{_text(token)}: {probability:.2%}"><bdi>{_text(token)}</bdi>'
        f"<small>{_share(probability)}{move}</small></td>"
    )


def _move(place: int, before: int | None) -> str:
    """Whether a word at a place (counted from 0) stands better or worse than its rank one layer before."""
    if before is None or before == place + 1:
        return ""
    name, mark = ("up", "▲") if before > place + 1 else ("down", "▼")
    return f' <span class="{name}" title="rank {before:,} one layer before">{mark}</span>'


def _answer(answer: "RankedWord", layer: int, known: set[int] | None) -> str:
    """The right answer's rank and, compared with the base, what became of it; `known` are the base's right layers."""
    right = answer.rank == 1
    outcome = ""
    if known is not None and right != (layer in known):
        name = "learned" if right else "forgotten"
        outcome = f'<br><small class="{name}">{"✓" if right else "✗"} {name}</small>'
    elif right:
        outcome = "<br><small>✓ known</small>"
    return f'<td class="rank">rank {answer.rank:,}{outcome}</td>'


def _share(probability: float) -> str:
    return f"{probability:.0%}" if probability >= 0.095 else f"{probability:.1%}"


def _text(text: str) -> str:
    return escape(visible(text))
