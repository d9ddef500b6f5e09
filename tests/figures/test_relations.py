"""The heat map's cells and the marks of models side by side."""

import pandas as pd
import pytest

from bertnesia.figures import style
from bertnesia.figures.relations import heat_map, side_by_side

TABLE = pd.DataFrame(
    [
        ("P1", "born in <b>", 1, 0.0, 0, 40),
        ("P1", "born in <b>", 2, 0.5, 20, 40),
        ("P2", "capital", 1, 0.25, 5, 20),
        ("P2", "capital", 2, 1.0, 20, 20),
        ("P3", "capital", 1, 0.1, 2, 20),
        ("P3", "capital", 2, 0.1, 2, 20),
    ],
    columns=["relation", "label", "layer", "value", "correct", "facts"],
)


def alpha(colour: str) -> float:
    return float(colour.rsplit(",", 1)[1].strip(" )"))


def test_every_cell_has_its_number_its_place_and_its_strength() -> None:
    figure = heat_map(TABLE, title="t", note="n", colour="#3B7DD8")
    (cells,) = figure.data
    assert cells.text == ("0", "25", "10", "50", "100", "10")
    assert list(cells.base) == [0.52] * 3 + [1.52] * 3
    assert list(cells.x) == [0.96] * 6, "cells of a layer are bars around its number"
    assert [list(one) for one in cells.customdata[3:]] == [["P1", 2, 20, 40], ["P2", 2, 20, 20], ["P3", 2, 2, 20]]
    strengths = [alpha(colour) for colour in cells.marker.color]
    assert strengths == pytest.approx([0.03, 0.2175, 0.105, 0.405, 0.78, 0.105], abs=1e-3)
    assert all(colour.startswith("rgba(59, 125, 216") for colour in cells.marker.color)
    assert len(set(cells.y)) == 3, "relations of one name keep a row each"
    assert "born in &lt;b&gt;" in cells.y[0]


def test_changes_are_coloured_by_their_sign() -> None:
    table = TABLE.assign(value=[0.2, -0.1, 0.0, -0.2, 0.0, 0.0])
    (cells,) = heat_map(table, title="t", note="n", colour="#3B7DD8", change=True).data
    assert cells.text == ("+20", "0", "0", "−10", "−20", "0")
    gain, loss = style.faint(style.GAIN, 0.5)[:14], style.faint(style.LOSS, 0.5)[:14]
    assert cells.marker.color[0].startswith(gain)
    assert [colour.startswith(loss) for colour in cells.marker.color[3:5]] == [True, True]
    assert alpha(cells.marker.color[0]) == alpha(cells.marker.color[4]) == pytest.approx(0.78)


def test_maps_share_a_scale_and_outline_the_chosen_cell() -> None:
    figure = heat_map(TABLE, title="t", note="n", colour="#3B7DD8", top=2.0, chosen=("P2", 2))
    assert alpha(figure.data[0].marker.color[4]) == pytest.approx(0.405)
    (box,) = figure.layout.shapes
    assert (box.x0, box.x1, box.y0, box.y1) == pytest.approx((1.51, 2.49, 0.52, 1.48))
    assert not heat_map(TABLE, title="t", note="n", colour="#3B7DD8", chosen=("P9", 2)).layout.shapes


def test_columns_may_be_other_things_than_layers() -> None:
    figure = heat_map(TABLE, title="t", note="n", colour="#000000", columns={1: "QA <i>", 2: "Ranking"})
    assert figure.layout.xaxis.ticktext == ("QA &lt;i&gt;", "Ranking")
    assert "QA &lt;i&gt;" in figure.data[0].hovertext[0]


def test_models_are_marks_on_the_rows_of_relations() -> None:
    rows = [("mini", "P1", "born in", 0.5), ("mini", "P2", "capital", 0.2), ("qa", "P1", "born in", 0.1)]
    table = pd.DataFrame(rows, columns=["model", "relation", "label", "value"])
    table = table.assign(low=table["value"] - 0.05, high=table["value"] + 0.1, facts=40)
    look = {"labels": {"mini": "Mini", "qa": "QA"}, "colours": {"mini": "#111111", "qa": "#222222"}, "markers": {}}
    figure = side_by_side(table, title="t", measure="P@1", note="n", **look)
    marks = {trace.name: trace for trace in figure.data if trace.mode == "markers"}
    assert marks["Mini"].x == (0.5, 0.2)
    assert marks["Mini"].y == ("born in (40)", "capital (40)")
    assert marks["QA"].x == (0.1,)
    assert marks["Mini"].error_x.array == pytest.approx((0.1, 0.1))
    assert marks["Mini"].error_x.arrayminus == pytest.approx((0.05, 0.05))
    (spans,) = [trace for trace in figure.data if trace.mode == "lines"]
    assert spans.x == (0.1, 0.5, None, 0.2, 0.2, None)


def test_empty_tables_say_so() -> None:
    assert "no fact" in heat_map(TABLE[:0], title="t", note="n", colour="#3B7DD8").layout.annotations[0].text
    empty = side_by_side(
        TABLE[:0].assign(model=[]), labels={}, colours={}, markers={}, title="t", measure="m", note="n"
    )
    assert "no fact" in empty.layout.annotations[0].text
