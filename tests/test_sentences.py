"""Typed sentences: masks in every spelling, words to click, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bertnesia.errors import BertnesiaError
from bertnesia.probes.facts import normalise_masks
from bertnesia.sentences import (
    MOST_CHARACTERS,
    Masking,
    add_mask,
    answers_for,
    check_prompt,
    insert_mask,
    pieces_of,
    split_words,
)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("a [MASK] b", "a [MASK] b"),
        ("a [mask] b <MASK> c <mask>", "a [MASK] b [MASK] c [MASK]"),
        ("a ___ b _____.", "a [MASK] b [MASK]."),
        ("snake_case __init__ stays", "snake_case __init__ stays"),
    ],
)
def test_masks_are_read_in_every_spelling(typed: str, read: str) -> None:
    assert normalise_masks(typed) == read


@pytest.mark.parametrize(
    ("prompt", "fault"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("no such word", "no mask"),
        ("[MASK] <mask> ___ [mask] ____", "5 masks, but at most 4"),
        ("a\x07 [MASK]", "control characters"),
        ("a\x9f [MASK]", "control characters"),
        ("a\ud800 [MASK]", "control characters"),
        ("a" * MOST_CHARACTERS + "[MASK]", "20,006 characters long"),
    ],
)
def test_a_prompt_that_nobody_could_answer_is_refused(prompt: str, fault: str) -> None:
    with pytest.raises(BertnesiaError, match=fault):
        check_prompt(prompt)


def test_tabs_line_ends_and_other_scripts_are_fine() -> None:
    check_prompt("القاهرة\tis\nin [MASK] \u202e and ___ <mask> [MASK]")


def test_the_words_of_a_sentence_and_where_they_stand() -> None:
    sentence = "Jeanne d'Arc, born in ___, spoke [MASK]."
    found = pieces_of(sentence)
    assert [(piece.text, piece.masked) for piece in found] == [
        ("Jeanne", False), ("d'Arc", False), ("born", False), ("in", False), ("___", True), ("spoke", False),
        ("[MASK]", True),
    ]  # fmt: skip
    assert all(sentence[piece.start : piece.end] == piece.text for piece in found)


def test_a_word_is_masked_and_comes_back() -> None:
    masking = Masking("Paris is in France.")
    once = masking.toggle(3)
    assert once.sentence == "Paris is in [MASK]."
    twice = once.toggle(0)
    assert twice.sentence == "[MASK] is in [MASK]."
    assert twice.toggle(3).sentence == "[MASK] is in France."
    assert twice.toggle(3).toggle(0).sentence == masking.sentence


def test_a_mask_that_was_typed_has_no_word_to_come_back() -> None:
    masking = Masking("Paris is in [MASK].")
    assert masking.toggle(3) is masking
    assert masking.toggle(9) is masking


@given(st.text(max_size=60), st.integers(0, 10))
def test_masking_a_word_and_taking_it_back_changes_nothing(sentence: str, place: int) -> None:
    pieces = pieces_of(sentence)
    masked = Masking(sentence).toggle(place)
    if place < len(pieces) and not pieces[place].masked:
        assert masked.toggle(place).sentence == sentence or len(pieces_of(masked.sentence)) != len(pieces)
    else:
        assert masked.sentence == sentence


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "[MASK] ."),
        ("Paris is in", "Paris is in [MASK] ."),
        ("Paris is in .", "Paris is in [MASK] ."),
        ("Paris is in.", "Paris is in [MASK]."),
        ("Where is Paris?  ", "Where is Paris [MASK]?"),
    ],
)
def test_a_mask_is_added_behind_the_last_word(before: str, after: str) -> None:
    assert add_mask(before) == after


@pytest.mark.parametrize(
    ("before", "behind", "after"),
    [
        ("anna lives in ", " .", "anna lives in [MASK] ."),
        ("anna lives in", "and arlo .", "anna lives in [MASK] and arlo ."),
        ("anna (", ") lives .", "anna ([MASK]) lives ."),
        ("anna,", " lives .", "anna, [MASK] lives ."),
        ("", " lives in arlo .", "[MASK] lives in arlo ."),
        ("an", "na lives .", "an [MASK] na lives ."),
        ("anna lives in", "", "anna lives in [MASK] ."),
        ("anna lives in arlo.", " ", "anna lives in arlo [MASK]."),
        ("", "", "[MASK] ."),
    ],
)
def test_a_mask_is_put_between_two_parts(before: str, behind: str, after: str) -> None:
    assert insert_mask(before, behind) == after


def test_words_between_commas() -> None:
    assert split_words(" rome, paris ,,rome, new york ") == ("rome", "paris", "new york")
    assert split_words("  ") == ()


def test_one_answer_is_for_all_masks_and_several_are_for_one_each() -> None:
    assert answers_for(("rome",), 2) == ("rome",)
    assert answers_for(("rome", "italy"), 1) == ("italy",)
    assert answers_for(("rome", "italy"), 2) == ()
    assert answers_for((), 0) == ()
