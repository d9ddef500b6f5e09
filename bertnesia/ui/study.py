"""Which study is looked at, and questions to it, answered once per published version."""

import os
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec

import pandas as pd
import streamlit as st

from bertnesia.errors import BertnesiaError
from bertnesia.store.study import Study, Version, open_study
from bertnesia.ui import address
from bertnesia.ui.messages import nothing_here, problem

if TYPE_CHECKING:
    from bertnesia.live import LiveModels

ENVIRONMENT = "BERTNESIA_DB"
"""Names a database to show beside those of `precomputed/`."""

_CHOSEN = "bertnesia.study"
_ALONE = "bertnesia.study alone"
P = ParamSpec("P")


def choose_study(root: Path) -> None:
    """Let the user pick one of the studies at hand; with a single one there is nothing to pick."""
    studies = available(root)
    if not studies:
        st.session_state[_CHOSEN] = None
        return
    first = next(iter(studies))
    address.restore("study", lambda texts: texts[0], first, lambda name: name in studies)
    name = st.sidebar.selectbox("Study", list(studies), key="study") if len(studies) > 1 else first
    address.keep("study", name)
    st.session_state[_CHOSEN] = studies[name]
    st.session_state[_ALONE] = len(studies) == 1


def available(root: Path) -> dict[str, Path]:
    """Databases by name: the one in the environment first, then those of `precomputed/` under the project's root."""
    given = os.environ.get(ENVIRONMENT, "")
    paths = [Path(given).expanduser()] if given else []
    paths += sorted((root / "precomputed").glob("*.duckdb"))
    studies: dict[str, Path] = {}
    for path in dict.fromkeys(path.resolve() for path in paths):
        name = path.stem if path.stem not in studies else f"{path.stem} ({path.parent.name})"
        studies[name] = path
    return studies


def current_study() -> Study:
    """The chosen study, opened; where there is none or it cannot be read, says so and ends the page."""
    path = st.session_state.get(_CHOSEN)
    if path is None:
        nothing_here(
            "There is no study to show yet.",
            f"Studies are .duckdb files in the folder precomputed, or the file that {ENVIRONMENT} names. "
            "`bertnesia run studies/mini.toml` makes one.",
        )
        address.stop()
    try:
        study = open_study(path)
    except BertnesiaError as error:
        problem("This study cannot be shown.", error)
        address.stop()
    with st.sidebar.container(gap="xxsmall"):
        if st.session_state.get(_ALONE, True):  # there is no list headed so
            st.caption("Study")
        st.text(study.title)
    return study


def ask(
    study: Study, query: Callable[Concatenate[Study, P], pd.DataFrame], *args: P.args, **kwargs: P.kwargs
) -> pd.DataFrame:
    """A query of `store`, or what is computed from some, remembered for this version of the study."""
    name = f"{query.__module__}.{query.__qualname__}"
    return _remembered(str(study.path), study.version, name, args, kwargs, lambda: query(study, *args, **kwargs))


@st.cache_data(max_entries=500, show_spinner="Counting …")
def _remembered(
    path: str,  # noqa: ARG001 - the first five are the key
    version: Version,  # noqa: ARG001
    name: str,  # noqa: ARG001
    args: tuple[Hashable, ...],  # noqa: ARG001
    kwargs: dict[str, Hashable],  # noqa: ARG001
    _answer: Callable[[], pd.DataFrame],
) -> pd.DataFrame:
    return _answer()


def live_models_of(study: Study) -> "LiveModels":
    """The study's models, ready to answer prompts; loaded once per version."""
    return _live_models(str(study.path), study.version, study)


@st.cache_resource(max_entries=2, show_spinner="Getting the models ready …")
def _live_models(path: str, version: Version, _study: Study) -> "LiveModels":  # noqa: ARG001
    from bertnesia.live import live_models  # noqa: PLC0415 - torch is loaded where it is needed only

    return live_models(_study)
