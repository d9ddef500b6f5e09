"""What is shown, as code to copy: a Python program, and a command where one gives the same numbers."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import streamlit as st

from bertnesia.store.study import Study
from bertnesia.ui.access import is_public

_WIDTH = 96
_OPENING = "study = open_study(Path({path}))"
_TEXT = re.compile(r'"(?:\\.|[^"\\])*"')
_NAME = re.compile(r"(?<![\w.])\w+\b(?!=[^=])")
_HOMES = {
    "findings": "bertnesia",
    "forgetting": "bertnesia.analysis",
    "wilson_interval": "bertnesia.analysis.measures",
    "with_interval": "bertnesia.analysis.measures",
    "holm": "bertnesia.analysis.significance",
    "mcnemar": "bertnesia.analysis.significance",
    "wilcoxon": "bertnesia.analysis.significance",
    "as_many_seeds": "bertnesia.analysis.totals",
    "answers_grid": "bertnesia.figures.facts",
    "rank_by_layer": "bertnesia.figures.facts",
    "by_share": "bertnesia.figures.forgetting",
    "lost_and_buried": "bertnesia.figures.forgetting",
    "outcomes_by_layer": "bertnesia.figures.forgetting",
    "outcomes_by_relation": "bertnesia.figures.forgetting",
    "rank_changes": "bertnesia.figures.forgetting",
    "appearance": "bertnesia.figures.layers",
    "by_layer": "bertnesia.figures.layers",
    "training_curve": "bertnesia.figures.models",
    "known_bars": "bertnesia.figures.overview",
    "heat_map": "bertnesia.figures.relations",
    "side_by_side": "bertnesia.figures.relations",
    "live_models": "bertnesia.live",
    "Request": "bertnesia.live",
    "cast_of": "bertnesia.report.exhibits",
    "browsing": "bertnesia.store",
    "queries": "bertnesia.store",
    "open_study": "bertnesia.store.study",
}
"""Names that programs use, and the modules that they are imported from."""


@dataclass(frozen=True, slots=True)
class Code:
    """How to get what is shown without the dashboard.

    Attributes:
        python: a program.
        command: a command line that gives the same numbers, if there is one.
        gives: what the command gives, or why there is none; plain text.
    """

    python: str
    command: str | None = None
    gives: str = "No command gives this by itself."


def show_code(code: Code, *, name: str) -> None:
    """A button that opens the code, each part with a button to copy it.

    Args:
        code: what to show.
        name: of the place on the page; unique there.
    """
    with st.popover("As code", icon=":material/code:", type="tertiary", key=f"code-{name}", width="content"):
        python, command_line = st.tabs(["Python", "Command"])
        with python:
            st.caption("The same with the library, for the controls as they are set now.")
            st.code(code.python, language="python")
        with command_line:
            if code.command:
                st.code(code.command, language="bash", wrap_lines=True)
            st.text(code.gives)


def program(study: Study, *lines: str) -> str:
    """A whole program: imports of what its lines name, the study opened as `study`, and the lines."""
    body = "\n".join([_OPENING.format(path=literal(path_of(study))), *lines])
    named = set(_NAME.findall(_TEXT.sub("", body)))
    homes: dict[str, list[str]] = {}
    for name, home in _HOMES.items():
        if name in named:
            homes.setdefault(home, []).append(name)
    imports = [f"from {home} import {', '.join(sorted(homes[home], key=str.lower))}" for home in sorted(homes)]
    theirs = ["", "import pandas as pd"] if "pd" in named else []
    return "\n".join(["from pathlib import Path", *theirs, "", *imports, "", body, ""])


def command(*words: str) -> str:
    """A command line, every word quoted where the shell needs it."""
    return shlex.join(("bertnesia", *words))


def path_of(study: Study) -> str:
    """Where the study lies, as seen from the folder the dashboard was started in; strangers learn its name only."""
    if is_public():
        return study.path.name
    here = Path.cwd()
    return (study.path.relative_to(here) if study.path.is_relative_to(here) else study.path).as_posix()


def literal(value: Any) -> str:
    """A value as Python source; of a dataclass of queries the call that makes it, defaults left out."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, tuple):
        parts = [literal(one) for one in value]
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(key)}: {literal(one)}" for key, one in value.items()) + "}"
    if isinstance(value, Sequence):
        return f"[{', '.join(literal(one) for one in value)}]"
    return repr(value)


def made(module: str, value: Any) -> str:
    """The call that makes a dataclass's value, arguments that have their default left out."""
    named = {one.name: getattr(value, one.name) for one in fields(value)}
    given = {one.name: literal(named[one.name]) for one in fields(value) if named[one.name] != one.default}
    return call(f"{module}.{type(value).__name__}", **given)


def call(function: str, *arguments: str, **named: str) -> str:
    """A call in Python source, an argument a line where one line is too short.

    Args:
        function: its name.
        arguments: source of the arguments by place.
        named: source of those by name.
    """
    parts = [*arguments, *(f"{name}={value}" for name, value in named.items())]
    line = f"{function}({', '.join(parts)})"
    if len(line) <= _WIDTH:
        return line
    inner = "".join(f"    {part.replace(chr(10), chr(10) + '    ')},\n" for part in parts)
    return f"{function}(\n{inner})"
