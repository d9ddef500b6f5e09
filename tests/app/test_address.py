"""The address holds every control, and sets it."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.conftest import OpenPage, figures, set_segment
from tests.store.synthetic_study import Synthetic, publish_synthetic

PAGES = ("overview", "layers", "forgetting", "relations", "facts", "models")


@pytest.mark.parametrize("page", PAGES)
def test_a_copied_address_shows_the_same_figures(open_page: OpenPage, page: str) -> None:
    first = open_page(page)
    assert first.query_params["study"] == "synthetic"
    copy = open_page(page, address=first.query_params)
    assert figures(copy) == figures(first)
    assert copy.query_params == first.query_params


def test_choices_are_written_whatever_is_the_default(open_page: OpenPage) -> None:
    app = open_page("layers")
    assert app.query_params == {
        "study": "synthetic",
        "probe_set": "trex",
        "relation": "all",
        "measure": "P@1",
        "average": "relations",
        "decoder": "trained",
        "filtered": "false",
        "models": ["mini", "qa-squad"],
    }
    set_segment(app, "measure", "MRR")
    app.multiselect(key="models").set_value(["qa-squad"])
    app.toggle(key="filtered").set_value(True)
    app.run()
    assert app.query_params["measure"] == "MRR"
    assert app.query_params["models"] == "qa-squad"
    assert app.query_params["filtered"] == "true"


def test_no_model_at_all_is_a_choice_too(open_page: OpenPage) -> None:
    app = open_page("layers")
    app.multiselect(key="models").set_value([]).run()
    assert app.query_params["models"] == ""
    again = open_page("layers", models="")
    assert again.multiselect(key="models").value == []


def test_a_choice_goes_along_to_other_pages(open_page: OpenPage) -> None:
    app = open_page("layers")
    app.selectbox(key="probe_set").set_value("google_re").run()
    app.switch_page("pages/relations.py").run()
    assert app.selectbox(key="probe_set").value == "google_re"
    assert app.query_params["probe_set"] == "google_re"


def test_an_address_wins_over_what_was_chosen_before(open_page: OpenPage) -> None:
    app = open_page("layers")
    app.selectbox(key="probe_set").set_value("google_re").run()
    app.query_params["probe_set"] = "squad"
    app.run()
    assert app.selectbox(key="probe_set").value == "squad"


def test_what_a_study_does_not_have_is_told_in_plain_text(open_page: OpenPage) -> None:
    app = open_page("layers", probe_set="<b>nowhere</b>", models=["mini", "nobody"], measure="P@7")
    assert app.selectbox(key="probe_set").value == "trex"
    assert app.multiselect(key="models").value == ["mini"]
    (note,) = [text.value for text in app.text if "There is no such choice" in text.value]
    assert "probe_set: <b>nowhere</b>" in note
    assert "measure: P@7" in note
    assert figures(app)


def test_relations_of_one_probe_set_are_not_kept_in_another(open_page: OpenPage) -> None:
    app = open_page("layers", relation="P36")
    app.selectbox(key="probe_set").set_value("google_re").run()
    assert app.selectbox(key="relation").value == "all"
    assert app.query_params["relation"] == "all"
    assert not [text.value for text in app.text if "There is no such choice" in text.value]


def test_a_link_names_its_study(
    open_page: OpenPage, database: Path, tmp_path: Path, synthetic: Synthetic, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_synthetic(tmp_path / "other.duckdb", synthetic, "The other one")
    app = open_page("layers", study=tmp_path / "other.duckdb")
    assert app.query_params["study"] == "other"
    assert "The other one" in [text.value for text in app.sidebar.text]


def test_a_click_before_the_end_of_the_first_run_is_not_undone() -> None:
    """What a link asks for is read once, also where the page was cut short before it wrote its address."""

    def page() -> None:
        import streamlit as st  # noqa: PLC0415

        from bertnesia.ui import address  # noqa: PLC0415

        with address.kept("page"):
            address.restore("word", lambda texts: texts[0], "", lambda _: True)
            address.keep("word", st.text_input("Word", key="word"))
            st.button("Change", on_click=lambda: st.session_state.update(word="changed"))
            if st.session_state["word"] == "linked":
                st.stop()

    app = AppTest.from_function(page)
    app.query_params["word"] = "linked"
    app.run()
    assert app.text_input(key="word").value == "linked"
    app.button[0].click().run()
    assert not app.exception
    assert app.text_input(key="word").value == "changed"
    assert app.query_params["word"] == "changed"
