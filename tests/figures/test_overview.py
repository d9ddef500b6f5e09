"""The stacked bars of the whole study."""

import numpy as np
import pandas as pd
import pytest

from bertnesia.figures.overview import known_bars

LOOK = {"labels": {"mini": "Mini", "qa": "QA <b>"}, "colours": {"mini": "#112233", "qa": "#445566"}}


def totals() -> pd.DataFrame:
    rows = [
        ("T-REx", "qa", 100, 0.1, 0.25, 0.15),
        ("T-REx", "mini", 100, 0.3, 0.4, np.nan),
        ("<i>Atlas</i>", "mini", 50, 0.2, 0.2, np.nan),
    ]
    return pd.DataFrame(rows, columns=["probe_set", "model", "facts", "last", "total", "seeds_union"])


def test_bars_stack_the_last_layer_and_the_rest_in_the_models_order() -> None:
    figure = known_bars(totals(), title="t", measure="share", note="n", **LOOK)
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert [(bar.name, bar.y) for bar in bars] == [
        ("last layer", ("Mini", "QA &lt;b&gt;")),
        ("some other layer only", ("Mini", "QA &lt;b&gt;")),
        ("last layer", ("Mini",)),
        ("some other layer only", ("Mini",)),
    ]
    assert bars[0].x == (0.3, 0.1)
    assert bars[1].x == pytest.approx((0.1, 0.15))
    assert bars[3].x == (0.0,)
    assert bars[0].marker.color == ("#112233", "#445566")
    assert figure.layout.barmode == "stack"
    assert [bar.showlegend for bar in bars] == [True, True, False, False]
    headings = [one.text for one in figure.layout.annotations]
    assert headings == ["<b>T-REx, 100 facts</b>", "<b>&lt;i&gt;Atlas&lt;/i&gt;, 50 facts</b>"]


def test_what_a_total_must_exceed_is_marked_where_it_was_measured() -> None:
    marks = [
        trace
        for trace in known_bars(totals(), title="t", measure="m", note="n", **LOOK).data
        if trace.type == "scatter"
    ]
    (mark,) = marks
    assert mark.name == "as many decoders of the last layer alone"
    assert mark.x[1] == 0.15
    assert mark.x[0] is None or np.isnan(mark.x[0])


def test_an_empty_table_says_so() -> None:
    assert "No model" in known_bars(totals()[:0], title="t", measure="m", note="n", **LOOK).layout.annotations[0].text
