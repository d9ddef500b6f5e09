"""A long task on the page: its bar, its cancel button, and what is shown when it has ended."""

from typing import TYPE_CHECKING, Any

import streamlit as st

from bertnesia.errors import BertnesiaError
from bertnesia.ui.messages import problem

if TYPE_CHECKING:
    from bertnesia.live.jobs import Job


def show_job(job: "Job[Any]", what: str) -> bool:
    """The task while it runs, and how it ended if it ended badly; returns whether it has a result."""
    if job.running:
        _watch(job, what)
        return False
    if job.failure is not None:
        if not isinstance(job.failure, BertnesiaError | OSError):
            raise job.failure
        problem(f"{what} has failed.", BertnesiaError(str(job.failure)))
        return False
    if job.cancelled:
        st.text(f"{what} was cancelled.")
    return job.result is not None


def note_click(name: str) -> None:
    """Note that a button was clicked, for `was_clicked`; a button's callback."""
    st.session_state[f"bertnesia.clicked.{name}"] = True


def was_clicked(name: str) -> bool:
    """Whether a click was noted that nothing came of yet; unlike a button's own value it outlives a run cut short."""
    return bool(st.session_state.pop(f"bertnesia.clicked.{name}", False))


@st.fragment(run_every=1)
def _watch(job: "Job[Any]", what: str) -> None:
    share = job.look()
    if not job.running:
        st.rerun()
    st.progress(share, text=f"{what}: {share:.0%}")
    st.text(job.note)
    st.button("Cancel", icon=":material/cancel:", on_click=job.cancel, key=f"cancel-{what}")
