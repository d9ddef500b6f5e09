"""Figures of live predictions: what is drawn from given tables, and that data stays text."""

import json

import numpy as np
import pandas as pd
import pytest

from bertnesia.figures import style
from bertnesia.figures.cloze import distance_by_layer, watched_ranks, words_at_layer

MODELS = ("mini", "qa")
LABELS = {"mini": "Mini", "qa": "QA <b>bold</b>\u202e"}
LOOK = {"labels": LABELS, "colours": style.colours(MODELS), "markers": style.markers(MODELS)}


def ranks() -> pd.DataFrame:
    rows = [(m, w, layer, 100 // layer, 0.1) for m in MODELS for w in ("rome", "<a href='x'>") for layer in (1, 2, 3)]
    return pd.DataFrame(rows, columns=["model", "word", "layer", "rank", "probability"])


def test_a_line_for_each_model_and_word_with_one_on_top() -> None:
    figure = watched_ranks(ranks(), **LOOK)
    assert len(figure.data) == 4
    assert figure.data[0].y == (100, 50, 33)
    assert figure.data[0].line.color == figure.data[1].line.color != figure.data[2].line.color
    assert figure.data[0].line.dash == figure.data[2].line.dash != figure.data[1].line.dash
    assert figure.layout.yaxis.type == "log"
    bottom, top = figure.layout.yaxis.range
    assert bottom > 2 > 0 > top
    assert not figure.layout.shapes


def test_stored_ranks_are_rings_and_forgotten_layers_are_shaded() -> None:
    table = ranks().assign(stored=pd.array([99, 50, None] * 4, dtype="Int64"))
    figure = watched_ranks(table[table["word"] == "rome"], forgotten=[2, 3], **LOOK)
    rings = [trace for trace in figure.data if trace.mode == "markers"]
    assert [trace.y for trace in rings] == [(99, 50), (99, 50)]
    assert all(trace.marker.symbol.endswith("-open") for trace in rings)
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(1.5, 2.5), (2.5, 3.5)]
    assert "forgotten" in figure.layout.title.subtitle.text


def test_distances_have_a_line_from_where_models_are_apart() -> None:
    table = pd.DataFrame(
        [("qa", layer, 0.2 * layer, 1.5 * layer) for layer in (3, 1, 2)],
        columns=["model", "layer", "total_variation", "divergence"],
    )
    figure = distance_by_layer(table, measure="total_variation", title="t", **LOOK)
    assert figure.data[0].x == (1, 2, 3)
    assert figure.data[0].y == pytest.approx((0.2, 0.4, 0.6))
    (line,) = figure.layout.shapes
    assert (line.y0, line.y1) == (0.5, 0.5)
    assert figure.layout.yaxis.range[1] >= 1
    other = distance_by_layer(table, measure="divergence", title="t", **LOOK)
    assert other.data[0].y == pytest.approx((1.5, 3.0, 4.5))
    assert not other.layout.shapes
    assert "nats" in other.layout.title.subtitle.text


def test_words_of_a_layer_are_ordered_by_the_first_model() -> None:
    rows = [("mini", "rome", 2, 0.2), ("mini", "paris", 1, 0.5), ("mini", "oslo", 40, 0.001),
            ("qa", "rome", 1, 0.3), ("qa", "paris", 9, 0.01), ("qa", "oslo", 2, 0.2)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["model", "word", "rank", "probability"])
    figure = words_at_layer(table, title="t", right="rome", labels=LABELS, colours=LOOK["colours"])  # type: ignore[arg-type]
    assert figure.layout.yaxis.ticktext == ("paris", "✓ rome", "oslo")
    mini, qa = figure.data
    assert mini.x == pytest.approx((0.5, 0.2, 0.001))
    assert qa.x == pytest.approx((0.01, 0.3, 0.2))
    assert [text.strip() for text in qa.text] == ["rank 9", "rank 1", "rank 2"]
    assert figure.layout.xaxis.range[1] > 0.5


def test_empty_tables_say_so() -> None:
    empty = ranks()[:0].assign(total_variation=np.array([]), divergence=np.array([]))
    assert "No words are watched" in watched_ranks(empty, **LOOK).layout.annotations[0].text
    assert "no predictions" in words_at_layer(empty, title="t", labels=LABELS, colours={}).layout.annotations[0].text
    distances = distance_by_layer(empty, measure="divergence", title="t", **LOOK)
    assert "no vocabulary in common" in distances.layout.annotations[0].text.replace("<br>", " ")


def test_words_and_labels_are_never_markup() -> None:
    table = ranks().assign(total_variation=0.1, divergence=0.1)
    for figure in (
        watched_ranks(table, **LOOK),
        distance_by_layer(table, measure="divergence", title="<i>t</i>", **LOOK),
        words_at_layer(table[table["layer"] == 1], title="t", labels=LABELS, colours={}, right="<a href='x'>"),
    ):
        text = json.dumps(figure.to_plotly_json(), default=str)
        assert "<a href" not in text
        assert "<b>bold" not in text
        assert "<i>" not in text
        assert "\\u202e" not in text
        assert "U+202E" in text
