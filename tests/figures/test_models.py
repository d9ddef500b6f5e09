"""Decoder quality and training curves."""

import pandas as pd
import pytest

from bertnesia.figures.models import decoder_quality, training_curve

LOOK = {"labels": {"mini": "Mini", "qa": "QA"}, "colours": {"mini": "#111111", "qa": "#222222"}, "markers": {}}


def test_decoder_quality_is_a_line_per_model_and_kind() -> None:
    rows = [
        (model, kind, layer, 5.0 - layer)
        for model in ("mini", "qa")
        for kind in ("trained", "stock")
        for layer in (2, 1)
    ]
    table = pd.DataFrame(rows, columns=["model", "kind", "layer", "value"])
    figure = decoder_quality(table, title="t", measure="loss", note="n", share=False, **LOOK)
    assert [(trace.name, trace.y, trace.line.dash) for trace in figure.data] == [
        ("Mini, trained", (4.0, 3.0), "solid"),
        ("Mini, stock", (4.0, 3.0), "dash"),
        ("QA, trained", (4.0, 3.0), "solid"),
        ("QA, stock", (4.0, 3.0), "dash"),
    ]
    alone = decoder_quality(table[table["kind"] == "stock"], title="t", measure="m", note="n", share=True, **LOOK)
    assert [trace.name for trace in alone.data] == ["Mini", "QA"]
    assert (
        "no such"
        in decoder_quality(table[:0], title="t", measure="m", note="n", share=True, **LOOK).layout.annotations[0].text
    )


def test_curves_of_decoders_are_a_line_per_layer_the_stronger_the_later() -> None:
    rows = [(layer, step, layer / step) for layer in (1, 2, 3) for step in (10, 5)]
    table = pd.DataFrame(rows, columns=["layer", "step", "value"])
    figure = training_curve(table, colour="#3B7DD8", title="t", measure="m", note="n", share=False)
    assert [trace.name for trace in figure.data] == ["layer 1", "layer 2", "layer 3"]
    assert figure.data[1].x == (5, 10)
    assert figure.data[1].y == (0.4, 0.2)
    strengths = [float(trace.line.color.rsplit(",", 1)[1].strip(" )")) for trace in figure.data]
    assert strengths == sorted(strengths)
    assert strengths[-1] == pytest.approx(1)


def test_the_models_own_curve_is_a_single_line() -> None:
    table = pd.DataFrame({"layer": [None, None], "step": [2, 1], "value": [0.5, 0.25]})
    (line,) = training_curve(table, colour="#3B7DD8", title="t", measure="m", note="n", share=True).data
    assert line.y == (0.25, 0.5)
    assert not line.showlegend
    assert (
        "no training curve"
        in training_curve(table[:0], colour="#3B7DD8", title="t", measure="m", note="n", share=True)
        .layout.annotations[0]
        .text
    )
