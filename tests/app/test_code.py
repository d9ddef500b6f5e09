"""Code to copy: what is written is Python and shell that means the same."""

import shlex
from pathlib import Path

import pytest

from bertnesia.store import browsing, queries
from bertnesia.store.study import open_study
from bertnesia.ui import code

AWKWARD = 'a "quoted" \\ back, ’s\u2028 and\nnew lines; {braces} $HOME `ls`'


@pytest.mark.parametrize(
    ("module", "value"),
    [
        ("queries", queries.Question("trex", ("mini",))),
        ("queries", queries.Question("trex", ("mini", "qa-squad"), "stock", 10, True, ("P19",), middle=True)),
        ("queries", queries.Comparison("trex", "mini", "qa-squad", layer=4, among=("a", "b"))),
        ("browsing", browsing.FactFilter(AWKWARD, relation=None, state="right")),
        ("browsing", browsing.Cell("trex", "P19", "mini", 3)),
    ],
)
def test_a_call_makes_the_same_value_again(module: str, value: object) -> None:
    assert eval(code.made(module, value), {"queries": queries, "browsing": browsing}) == value


@pytest.mark.parametrize(
    "value", [AWKWARD, ("one",), (), ("a", "b"), ["a", 1], {AWKWARD: 0.5, "b": None}, 0.1, True, None]
)
def test_a_literal_is_the_value(value: object) -> None:
    assert eval(code.literal(value)) == value


def test_defaults_are_left_out_and_long_calls_are_broken() -> None:
    short = code.made("queries", queries.Question("trex", ("mini",)))
    assert short == 'queries.Question(probe_set="trex", models=("mini",))'
    long = code.call("f", *(f'"{letter * 30}"' for letter in "abcd"))
    assert long.splitlines()[0] == "f("
    assert all(line.startswith("    ") and line.endswith(",") for line in long.splitlines()[1:-1])


def test_a_program_imports_what_it_names_and_opens_the_study(database: Path) -> None:
    study = open_study(database)
    text = code.program(study, "table = queries.models(study)", 'said = "browsing"')
    assert "browsing" not in text.split("study = ")[0]
    space: dict[str, object] = {}
    exec(text, space)
    assert space["table"].equals(queries.models(study))  # type: ignore[attr-defined]


def test_words_of_a_command_stay_whole() -> None:
    line = code.command("cloze", AWKWARD, "--db", "my study.duckdb")
    assert shlex.split(line) == ["bertnesia", "cloze", AWKWARD, "--db", "my study.duckdb"]


def test_strangers_are_not_told_where_the_study_lies(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = open_study(database)
    assert Path(code.path_of(study)).resolve() == database.resolve()
    monkeypatch.chdir(database.parent)
    assert code.path_of(study) == database.name
    monkeypatch.setenv("BERTNESIA_PUBLIC", "1")
    monkeypatch.chdir("/")
    assert code.path_of(study) == database.name
