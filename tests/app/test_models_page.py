"""The Models page shows provenance, decoders and training."""

import pytest

from tests.app.conftest import APP, OpenPage, figures, set_segment

SHIPPED = APP.parent / "precomputed" / "mini.duckdb"


def test_every_model_has_its_provenance(open_page: OpenPage) -> None:
    table = open_page("models").dataframe[0].value
    assert table["label"].tolist() == ["MINI", "QA-SQUAD"]
    assert table["base"].tolist()[1] == "mini"
    assert table["parameters"].tolist() == [123_456] * 2
    assert table["scores"].tolist() == ["accuracy 45.0 %"] * 2


def test_decoders_by_layer(open_page: OpenPage) -> None:
    app = open_page("models")
    (figure,) = figures(app)
    for trace in figure["data"]:
        assert list(trace["y"]) == pytest.approx([4.0 - layer / 3 for layer in range(1, 7)])
    set_segment(app, "score", "accuracy")
    set_segment(app, "decoder", "all")
    app.run()
    (figure,) = figures(app)
    assert len(figure["data"]) == 4
    assert list(figure["data"][3]["y"]) == pytest.approx([0.1 + layer / 20 for layer in range(1, 7)])
    assert len(app.dataframe[1].value) == 24


def test_a_study_without_curves_says_so(open_page: OpenPage) -> None:
    assert any("no training curves" in one.value for one in open_page("models").markdown)


@pytest.mark.skipif(not SHIPPED.exists(), reason="needs the study that ships")
def test_training_curves_of_the_study_that_ships(open_page: OpenPage) -> None:
    app = open_page("models", study=SHIPPED)
    curve = figures(app)[1]["data"]
    assert len(curve) == 1
    first, *_, last = curve[0]["y"]
    assert first > last > 0, "the loss falls"
    app.selectbox(key="run").set_value("decoder").run()
    assert len(figures(app)[1]["data"]) == 6
