"""Figures: what is drawn from given tables, and that data stays text."""

import json

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from bertnesia.figures import style
from bertnesia.figures.cloze import predictions_grid, watched_ranks
from bertnesia.figures.forgetting import outcomes_by_relation
from bertnesia.figures.layers import by_layer

MODELS = ("mini", "qa")
LABELS = {"mini": "Mini", "qa": "QA <b>bold</b> <a href='x'>y</a>"}
LOOK = {"labels": LABELS, "colours": style.colours(MODELS), "markers": style.markers(MODELS)}


def layer_table() -> pd.DataFrame:
    rows = [(model, layer, 0.1 * layer + 0.01 * place) for place, model in enumerate(MODELS) for layer in (2, 1, 3)]
    table = pd.DataFrame(rows, columns=["model", "layer", "value"])
    return table.assign(low=table["value"] - 0.05, high=table["value"] + 0.05, facts=1234, relations=4)


def test_layers_draw_a_line_and_a_band_per_model_and_the_prior() -> None:
    figure = by_layer(layer_table(), title="P@1 by layer", measure="P@1", note="1,234 facts", prior=0.23, **LOOK)
    lines = {trace.name: trace for trace in figure.data if trace.mode == "lines+markers"}
    assert lines["Mini"].x == (1, 2, 3)
    assert lines["Mini"].y == pytest.approx((0.1, 0.2, 0.3))
    assert lines["Mini"].line.color == style.MODEL_COLOURS[0]
    bands = [trace for trace in figure.data if trace.fill == "toself"]
    assert len(bands) == 2
    assert bands[0].y == pytest.approx((0.15, 0.25, 0.35, 0.25, 0.15, 0.05))
    (prior,) = [trace for trace in figure.data if trace.line.dash == "dash"]
    assert prior.y == (0.23, 0.23)
    assert prior.x == (1, 3)
    assert "1,234 facts" in figure.layout.title.subtitle.text
    assert figure.layout.xaxis.title.text == "Layer"
    assert figure.layout.yaxis.range[1] >= 0.36


def test_a_model_keeps_its_hue_when_others_are_left_out() -> None:
    table = layer_table().query("model == 'qa'")
    figure = by_layer(table, title="t", measure="P@1", note="n", **LOOK)
    (line,) = [trace for trace in figure.data if trace.mode == "lines+markers"]
    assert line.line.color == style.MODEL_COLOURS[1]


def test_an_empty_table_says_so() -> None:
    figure = by_layer(layer_table()[:0], title="t", measure="P@1", note="n", **LOOK)
    assert "no fact" in figure.layout.annotations[0].text


COUNTS = pd.DataFrame(
    {
        "label": ["born in <b>x</b> & <a href='y'>z</a>", "capital", "capital"],
        "facts": [10, 1200, 1200],
        "retained": [4, 600, 0],
        "forgotten": [3, 300, 12],
        "learned": [1, 0, 0],
    }
)


def test_outcomes_are_stacked_shares_in_the_tables_order() -> None:
    figure = outcomes_by_relation(COUNTS, title="QA against base", note="2,410 facts")
    shares = {trace.name: trace.x for trace in figure.data}
    assert shares == {
        "retained": pytest.approx((0.4, 0.5, 0)),
        "forgotten": pytest.approx((0.3, 0.25, 0.01)),
        "learned": pytest.approx((0.1, 0, 0)),
    }
    names = figure.data[0].y
    assert len(set(names)) == 3, "relations of one name keep a bar each"
    assert names[1] == "capital (1,200)"
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.barmode == "stack"
    assert list(figure.data[1].customdata[0]) == [3, 10]


def cloze_table() -> pd.DataFrame:
    rows = [(2, 1, "<b>no</b>", 0.5), (1, 2, "oslo", 0.1), (1, 1, "rome", 0.25), (2, 2, "incomprehensibility", 0.01)]
    return pd.DataFrame(rows, columns=["layer", "place", "token", "probability"])


def test_grid_puts_each_word_in_its_layer_and_place() -> None:
    figure = predictions_grid(cloze_table(), label="Mini", colour="#3B7DD8")
    heat, words = figure.data
    cells = {(y, x): (z, text) for y, x, z, text in zip(heat.y, heat.x, heat.z, words.text, strict=True)}
    assert cells["1", "1"] == (0.5, "rome")
    assert cells["1", "2"] == (pytest.approx(0.1**0.5), "oslo")
    assert cells["2", "1"][1] == "&lt;b&gt;no&lt;/b&gt;"
    assert cells["2", "2"][1] == "incomprehens…"
    assert figure.layout.yaxis.autorange == "reversed"
    assert predictions_grid(cloze_table(), label="Mini", colour="#3B7DD8", mask=2).layout.title.text == "Mini, mask 2"


def test_watched_words_are_lines_with_the_best_rank_on_top() -> None:
    rows = [(model, word, layer, layer * 10, 0.1) for model in MODELS for word in ("rome", "<i>") for layer in (2, 1)]
    table = pd.DataFrame(rows, columns=["model", "word", "layer", "rank", "probability"])
    figure = watched_ranks(table, **LOOK)
    assert [trace.y for trace in figure.data] == [(10, 20)] * 4
    assert {trace.line.dash for trace in figure.data} == {"solid", "dash"}
    assert {trace.line.color for trace in figure.data} == set(style.MODEL_COLOURS[:2])
    low, high = figure.layout.yaxis.range
    assert low > np.log10(20) > 0 > high
    assert figure.layout.yaxis.type == "log"


FIGURES = {
    "layers": by_layer(layer_table(), title="<b>t</b>", measure="P@1", note="<i>n</i>", **LOOK),
    "outcomes": outcomes_by_relation(COUNTS, title="<b>t</b>", note="<i>n</i>"),
    "grid": predictions_grid(cloze_table(), label="<b>m</b>", colour="#3B7DD8"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_data_is_never_markup(name: str) -> None:
    text = json.dumps(json.loads(FIGURES[name].to_json()), ensure_ascii=False)
    for markup in ("<a", "<i>", "<b>t", "<b>m", "<b>no", "<b>x", "<b>bold"):
        assert markup not in text
    assert "&lt;" in text


@pytest.mark.parametrize("colour", [*style.MODEL_COLOURS, *style.OUTCOME_COLOURS.values(), style.PRIOR_COLOUR])
@pytest.mark.parametrize("background", ["#FCFCFA", "#14181F"])
def test_colours_stand_out_in_light_and_dark(colour: str, background: str) -> None:
    lighter, darker = sorted((luminance(colour), luminance(background)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 3


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_long_titles_are_wrapped_and_lose_no_word() -> None:
    title = "A very long title that would not fit on the narrow screen of a telephone at all"
    figure = style.frame(go.Figure(), title, "short")
    lines = figure.layout.title.text.split("<br>")
    assert " ".join(lines) == title
    assert len(lines) == 2
    assert all(len(line) <= 44 for line in lines)
