"""Figures: what is drawn from given tables, and that data stays text."""

import json

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from bertnesia.figures import style
from bertnesia.figures.cloze import watched_ranks, words_at_layer
from bertnesia.figures.forgetting import outcomes_by_relation
from bertnesia.figures.layers import appearance, by_layer

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


def test_facts_appear_as_bars_per_layer_and_model() -> None:
    rows = [("qa", 2, 5, 3), ("mini", None, 60, 60), ("mini", 2, 30, 10), ("mini", 1, 10, 5)]
    table = pd.DataFrame(rows, columns=["model", "layer", "first", "stays"]).assign(facts=100)
    figure = appearance(table, labels=LABELS, colours=style.colours(MODELS), title="t", note="n")
    assert [(trace.name[:4], trace.x, trace.y) for trace in figure.data] == [
        ("Mini", (1, 2), (0.1, 0.3)),
        ("QA &", (2,), (0.05,)),
    ]
    never = appearance(table[1:2], labels=LABELS, colours=style.colours(MODELS), title="t", note="n")
    assert "No layer" in never.layout.annotations[0].text


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
    "words": words_at_layer(
        pd.DataFrame(
            [("mini", "<b>no</b>", 1, 0.5), ("qa", "<b>no</b>", 2, 0.2)],
            columns=["model", "word", "rank", "probability"],
        ),
        labels=LABELS,
        colours=LOOK["colours"],
        title="<b>t</b>",
        right="<b>no</b>",
    ),
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


SEEN = {  # what each kind of colour vision makes of linear RGB (Machado, Oliveira and Fernandes 2009, full severity)
    "usual": np.eye(3),
    "protan": np.array([[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]]),
    "deutan": np.array([[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]]),
    "tritan": np.array([[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]]),
}


def lab(colour: str, vision: str) -> np.ndarray:
    """CIE L*a*b* of a colour as it is seen."""
    channels = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]])
    xyz = to_xyz @ np.clip(SEEN[vision] @ linear, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("vision", SEEN)
@pytest.mark.parametrize(
    "together",
    [
        style.MODEL_COLOURS,
        tuple(style.OUTCOME_COLOURS.values()),
        (style.LOSS, style.GAIN),
        (style.LOSS, style.BURIED),
    ],
)
def test_colours_of_one_figure_differ_for_every_kind_of_colour_vision(together: tuple[str, ...], vision: str) -> None:
    for place, one in enumerate(together):
        for other in together[place + 1 :]:
            assert np.linalg.norm(lab(one, vision) - lab(other, vision)) >= 15, (one, other)
