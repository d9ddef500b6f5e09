"""Controls in the address: what is chosen stands there in full, so that a copied link shows the same view elsewhere.

Streamlit's own `bind="query-params"` leaves defaults out, which changes what an old link shows once a default depends
on the study, and drops a link's parameter where the page before has a control of the same name. Here every control is
written out, in one step when the page has run, and read again where the address was changed from outside: by a link,
or by the browser's Back.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import NoReturn, TypeVar
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx

from bertnesia.errors import BertnesiaError
from bertnesia.ui.browser import tend_browser
from bertnesia.ui.messages import problem

_VISIT = "bertnesia.visit"
_CHOICES = "bertnesia.choices"

T = TypeVar("T")
Texts = tuple[str, ...]


class _Ended(Exception):  # noqa: N818 - a way out, not an error
    """A page has shown all that there is."""


@dataclass
class _Visit:
    """One stay on a page: which values its controls wrote, and which ones a link named in vain."""

    page: str
    written: dict[str, list[Texts]] = field(default_factory=dict)
    now: dict[str, Texts] = field(default_factory=dict)
    unknown: dict[str, Texts] = field(default_factory=dict)


@contextmanager
def kept(page: str) -> Iterator[None]:
    """Run a page inside this: afterwards the address holds its controls, whatever it held before."""
    visit: _Visit | None = st.session_state.get(_VISIT)
    if visit is None or visit.page != page:
        visit = st.session_state[_VISIT] = _Visit(page)
    visit.now, visit.unknown = {}, {}
    with st.sidebar:
        tend_browser()
    notes = st.container()
    with suppress(_Ended):
        yield
    _finish(visit, notes)


def stop() -> NoReturn:
    """End the page here. After `st.stop()` nothing could be written to the address any more."""
    raise _Ended


def restore(key: str, read: Callable[[Texts], T | None], default: T, valid: Callable[[T], bool]) -> None:
    """Set a control, before it is drawn, to what the address asks for.

    Where the address says nothing, the control keeps its value, or takes the last one of the same name on another
    page, or the default.

    Args:
        key: the control's, and the parameter's name.
        read: the value that a parameter's texts stand for, or None.
        default: used where nothing else is asked for.
        valid: whether a value can be chosen here.
    """
    visit = _visit()
    texts = tuple(st.query_params.get_all(key))
    written = visit.written.get(key, [])
    travelled = getattr(get_script_run_ctx(), "is_history_navigation", False)
    if texts and (travelled or texts not in written):
        value = read(texts)
        if value is None or not valid(value):
            visit.unknown[key] = texts
            value = default
        st.session_state[key] = value
        visit.written[key] = [*written, texts]  # read once, also where this run is cut short by the next click
    elif travelled or key not in st.session_state or not written or not valid(st.session_state[key]):
        remembered = None if travelled else st.session_state.get(_CHOICES, {}).get(key)
        value = read(remembered) if remembered is not None else None
        st.session_state[key] = default if value is None or not valid(value) else value


def keep(key: str, *texts: str) -> None:
    """Note what a control was set to: it is written to the address when the page has run."""
    _visit().now[key] = texts


def link(page: str, **changes: str | Sequence[str] | None) -> tuple[str, dict[str, list[str]]]:
    """A page's file and the parameters that lead to a view of it: this study, and `changes`."""
    study = _visit().now.get("study")
    parameters = {"study": list(study)} if study else {}
    for key, value in changes.items():
        if value is not None:
            parameters[key] = [value] if isinstance(value, str) else list(value)
    return f"pages/{page}.py", parameters


def current() -> str:
    """The whole address of what is shown, every control spelled out."""
    return f"{st.context.url or ''}?{urlencode(_now(), doseq=True)}"


def go(page: str, **changes: str | Sequence[str] | None) -> NoReturn:
    """Leave for a view of another page."""
    file, parameters = link(page, **changes)
    st.switch_page(file, query_params=parameters)


def _now() -> dict[str, Texts]:
    """Every parameter: those of the controls, and those that controls bound by Streamlit wrote."""
    others = {key: tuple(st.query_params.get_all(key)) for key in st.query_params}
    return {**others, **_visit().now}


def _visit() -> _Visit:
    visit = st.session_state.get(_VISIT)
    if visit is None:
        visit = st.session_state[_VISIT] = _Visit("")
    return visit


def _finish(visit: _Visit, notes: DeltaGenerator) -> None:
    st.session_state.setdefault(_CHOICES, {}).update(visit.now)
    for key, texts in visit.now.items():
        written = visit.written.setdefault(key, [])
        if texts not in written:
            written.append(texts)
    changed = {key: list(texts) for key, texts in visit.now.items() if tuple(st.query_params.get_all(key)) != texts}
    if changed:
        st.query_params.update(changed)
    for key in set(st.session_state[_CHOICES]) & set(st.query_params) - set(visit.now):
        del st.query_params[key]  # of a page before
    _share()
    if visit.unknown:
        asked = "; ".join(f"{key}: {', '.join(texts)}" for key, texts in visit.unknown.items())
        with notes:
            problem(
                "The link asks for something that is not here.",
                BertnesiaError(f"There is no such choice in this study ({asked}); the first possible one is shown."),
            )


def _share() -> None:
    with st.sidebar.popover("Share this view", icon=":material/link:", type="tertiary"):
        st.caption("This link shows the same study, choices and figures to whoever has this dashboard.")
        st.code(current(), language=None, wrap_lines=True)
