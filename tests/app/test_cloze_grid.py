"""The grid of predictions as HTML, worked out by hand."""

import re

from bertnesia.live import ClozeResult, LayerPrediction, RankedWord
from bertnesia.ui.cloze import forgotten_layers
from bertnesia.ui.cloze_grid import Look, predictions_grid, word_hues


def result(model: str, ranks: tuple[int, int]) -> ClozeResult:
    """Two layers whose answer, rome, has these ranks."""
    first, second = (RankedWord("Rome", "rome", rank, 0.5) for rank in ranks)
    return ClozeResult(
        model,
        "stock",
        1,
        (
            LayerPrediction(1, ("rome", "<b>no</b>"), (0.5, 0.25), (), None, first),
            LayerPrediction(2, ("<b>no</b>", "oslo"), (0.6, 0.001), (), (2, 1), second),
        ),
    )


BASE, OTHER = result("base", (1, 1)), result("other", (1, 7))


def rows(html: str) -> list[str]:
    return re.findall("<tr.*?</tr>", html)[1:]


def test_each_word_is_in_its_layer_and_place_with_its_move() -> None:
    first, second = rows(predictions_grid(BASE, word_hues([BASE]), Look("Base", "#3B7DD8", "stock", 2)))
    assert re.findall("<bdi>(.*?)</bdi>", first) == ["rome", "&lt;b&gt;no&lt;/b&gt;"]
    assert re.findall("<bdi>(.*?)</bdi>", second) == ["&lt;b&gt;no&lt;/b&gt;", "oslo"]
    assert "▲" in second.split("oslo")[0]
    assert "▼" in second.split("oslo")[-1]
    assert "▲" not in first
    assert 'class="chosen"' in second
    assert "50%" in first
    assert "0.1%" in second


def test_a_layer_that_lost_the_answer_says_so() -> None:
    look = Look("Other", "#3B7DD8", "stock", 1)
    first, second = rows(predictions_grid(OTHER, word_hues([BASE, OTHER]), look, BASE))
    assert "✓ known" in first
    assert "rank 7" in second
    assert "✗ forgotten" in second
    assert forgotten_layers([BASE, OTHER]) == [2]
    assert "✓ learned" in rows(predictions_grid(BASE, {}, look, OTHER))[1]


def test_a_word_has_one_hue_wherever_it_recurs() -> None:
    hues = word_hues([BASE, OTHER])
    assert set(hues) == {"rome", "<b>no</b>", "oslo"}
    assert len(set(hues.values())) == 3
    assert word_hues([result("alone", (1, 1))]).keys() == {"<b>no</b>"}


def test_labels_and_turned_text_are_written_out() -> None:
    html = predictions_grid(BASE, {}, Look("<i>x</i>\u202e", "#3B7DD8", "stock", 1))
    assert "&lt;i&gt;x&lt;/i&gt;⟨U+202E⟩" in html
    assert "\u202e" not in html
