"""Models that a visitor adds to the study's, and decoders trained for them; off where strangers use the dashboard."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from bertnesia.errors import BertnesiaError
from bertnesia.figures.style import colours, markers
from bertnesia.plain import as_markdown
from bertnesia.probes.facts import Fact
from bertnesia.store import prompts
from bertnesia.store.study import Study
from bertnesia.ui.access import is_public
from bertnesia.ui.glossary import GLOSSARY
from bertnesia.ui.jobs import note_click, show_job, was_clicked
from bertnesia.ui.messages import problem
from bertnesia.ui.models import Models
from bertnesia.ui.study import ask

if TYPE_CHECKING:
    from bertnesia.live import LiveModels
    from bertnesia.live.adding import Added
    from bertnesia.models.decoders import DecoderConfig

MOST_MEGABYTES = 50
_ADDED = "bertnesia.cloze.added"
_TRAINING = "bertnesia.cloze.training"


def added_models() -> "dict[str, Added]":
    """The models that were added during this visit, by name."""
    found: dict[str, Added] = {} if is_public() else st.session_state.setdefault(_ADDED, {})
    return found


def with_added(live: "LiveModels") -> "LiveModels":
    """The study's models and those that were added."""
    return live.with_models({name: one.checkpoint for name, one in added_models().items()})


def models_with_added(models: Models) -> Models:
    """How the study's models look, and those that were added."""
    more = added_models()
    names = (*models.names, *more)
    return replace(
        models,
        names=names,
        labels={**models.labels, **{name: name for name in more}},
        layers={**models.layers, **{name: one.layers for name, one in more.items()}},
        colours=colours(names),
        markers=markers(names),
    )


def offer_models(study: Study, live: "LiveModels") -> None:
    """Add a local folder or a hub name, train decoders for what was added, or take it away again."""
    if is_public():
        return
    with st.popover("Add a model", icon=":material/add_circle:", type="tertiary"):
        with st.form("add-model", border=False):
            place = st.text_input(
                "Folder or hub name", key="place", placeholder="~/models/my-bert", help=GLOSSARY["add model"]
            )
            st.form_submit_button("Add", on_click=note_click, args=("add",))
        if was_clicked("add"):
            _add(study, live, place or "")
        for added in list(added_models().values()):
            _show_added(study, added)


def _add(study: Study, live: "LiveModels", place: str) -> None:
    from bertnesia.live.adding import add_model  # noqa: PLC0415 - torch is loaded where it is needed only

    try:
        with st.spinner("Loading the model …"):
            added = add_model(with_added(live), place, study.base)
    except BertnesiaError as error:
        problem("This model cannot be added.", error)
        return
    added_models()[added.name] = added
    st.session_state[_CHOOSE] = added.name
    st.rerun()


_CHOOSE = "bertnesia.cloze.choose"


def choose_added() -> None:
    """Choose the model that was added just now; before the control is drawn."""
    name = st.session_state.pop(_CHOOSE, None)
    if name is not None and name in added_models():
        st.session_state["models"] = [*st.session_state.get("models", []), name]


def _show_added(study: Study, added: "Added") -> None:
    with st.container(border=True):
        st.markdown(f"**{as_markdown(added.name)}**")
        head = "its own head" if added.checkpoint.base is None else f"the head of {study.base}"
        st.text(
            f"{added.checkpoint.folder}: {added.layers} layers, decoded with {head}. Kinds: {', '.join(added.kinds)}."
        )
        st.button("Take away", key=f"remove-{added.name}", on_click=_remove, args=(added.name,), type="tertiary")
        if "trained" not in added.kinds:
            _offer_training(study, added)


def _remove(name: str) -> None:
    added_models().pop(name, None)
    st.session_state["models"] = [one for one in st.session_state.get("models", []) if one != name]


def _offer_training(study: Study, added: "Added") -> None:
    from bertnesia.live.adding import train_for  # noqa: PLC0415
    from bertnesia.live.jobs import Job  # noqa: PLC0415

    jobs: dict[str, Job[DecoderConfig]] = st.session_state.setdefault(_TRAINING, {})
    what = f"Training decoders of {added.name}"
    if added.name in jobs and show_job(jobs[added.name], what):
        del jobs[added.name]
        st.rerun()
    # What was chosen stays on the page meanwhile, so that after a cancelled run nothing is uploaded again.
    busy = added.name in jobs and jobs[added.name].running
    text = st.file_uploader(
        "Train decoders on a text file",
        type=["txt"],
        key=f"text-{added.name}",
        max_upload_size=MOST_MEGABYTES,
        help=GLOSSARY["train decoders"],
        disabled=busy,
    )
    key = f"steps-{added.name}"
    steps = st.number_input("Steps", 10, 20_000, 300, 50, key=key, help=GLOSSARY["steps"], disabled=busy)
    st.text(f"They are saved in {added.checkpoint.decoder_folder}.")
    name = f"train {added.name}"
    st.button("Train decoders", disabled=busy or text is None, key=name, on_click=note_click, args=(name,))
    if was_clicked(name) and text is not None and not busy:
        facts = [Fact(*row) for row in ask(study, prompts.study_facts).itertuples(index=False, name=None)]
        jobs[added.name] = Job(partial(train_for, added, text.getvalue(), facts, int(steps)))
        st.rerun()
