"""One fact's figures."""

import numpy as np
import pandas as pd
import pytest

from bertnesia.figures.facts import answers_grid, rank_by_layer
from bertnesia.figures.style import OUTCOME_COLOURS

LOOK = {"labels": {"mini": "Mini <b>", "qa": "QA"}, "colours": {"mini": "#111111"}, "markers": {}}


def test_ranks_are_lines_with_the_best_on_top() -> None:
    table = pd.DataFrame(
        {"model": ["mini", "mini", "qa"], "layer": [2, 1, 1], "rank": [1, 500, 3], "probability": [0.5, 0.001, 0.2]}
    )
    figure = rank_by_layer(table, title="t", note="n", **LOOK)
    first, second = figure.data
    assert (first.x, first.y, first.customdata) == ((1, 2), (500, 1), (0.001, 0.5))
    assert first.name == "Mini &lt;b&gt;"
    assert (second.x, second.y) == ((1,), (3,))
    low, high = figure.layout.yaxis.range
    assert low > np.log10(500)
    assert high < 0


def grid() -> pd.DataFrame:
    rows = [
        (3, 1, ["rome", "oslo"], [0.64, 0.04]),
        (1, 70, ["<i>the</i>", "incomprehensible"], [0.25, 0.01]),
        (2, 2, ["oslo", "rome"], [0.09, 0.0]),
        (4, 9, ["paris"], [0.16]),
    ]
    return pd.DataFrame(rows, columns=["layer", "rank", "tokens", "probabilities"])


def test_the_grid_holds_words_ranks_and_moves() -> None:
    figure = answers_grid(grid(), label="Mini", colour="#3B7DD8", note="n")
    heat, words = figure.data
    assert heat.y == ("1", "2", "3", "4")
    assert np.array(heat.z) == pytest.approx(np.sqrt([[0.25, 0.01], [0.09, 0], [0.64, 0.04], [0.16, 0]]))
    cells = {(y, x): text for y, x, text in zip(words.y, words.x, words.text, strict=True)}
    assert cells["1", "1"] == "&lt;i&gt;the&lt;/i&gt;"
    assert cells["1", "2"] == "incompreh…"
    assert cells["3", "1"] == "rome"
    assert ("4", "2") not in cells
    assert [cells[layer, "rank"].strip() for layer in "1234"] == ["70", "▲ 2", "▲ 1", "▼ 9"]


def test_the_right_answer_is_outlined_where_it_is_shown() -> None:
    figure = answers_grid(grid(), label="Mini", colour="#3B7DD8", note="n")
    places = [((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2) for box in figure.layout.shapes]
    assert [pytest.approx(place) for place in places] == [(2, 1), (1, 2)], (
        "place, row: rank 2 at the second layer, rank 1 at the third"
    )
    assert {box.line.color for box in figure.layout.shapes} == {OUTCOME_COLOURS["learned"]}


def test_without_predictions_there_is_a_word_about_it() -> None:
    bare = grid().assign(tokens=[[]] * 4, probabilities=[[]] * 4)
    assert "keeps no" in answers_grid(bare, label="Mini", colour="#3B7DD8", note="n").layout.annotations[0].text
    assert "No model" in rank_by_layer(pd.DataFrame(), title="t", note="n", **LOOK).layout.annotations[0].text
