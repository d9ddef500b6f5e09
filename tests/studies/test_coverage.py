"""Coverage against a slow version, and the command."""

import json
import random
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from bertnesia import cli
from bertnesia.probes import read_probe_sets
from bertnesia.probes.facts import Fact, ProbeSet, Relation
from bertnesia.probes.mentions import mentions_per_fact
from bertnesia.studies.coverage import by_relation, mentions_table, passages_of
from tests import tiny

BORN = Relation("toy", "born", "born in", "[X] was born in [Y] .")


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_passages_of_each_kind_of_file(tmp_path: Path) -> None:
    assert passages_of(write(tmp_path / "a.txt", "one .", "two .", "one .")) == ["one .", "two ."]
    assert passages_of(write(tmp_path / "b.conll", "Ann\tB-PER", "sings\tO", "", "Bob\tB-PER", "sings\tO")) == [
        "Ann sings",
        "Bob sings",
    ]
    assert passages_of(write(tmp_path / "b.txt", "Ann O", "sings O"), "ner") == ["Ann sings"]
    assert passages_of(write(tmp_path / "b.tsv", "who ?\tAnn sings\tBob sings", "who ?\tAnn sings\tCy sings")) == [
        "Ann sings",
        "Bob sings",
        "Cy sings",
    ]
    squad = tiny.write_squad(tmp_path / "c.json")
    assert passages_of(squad) == [f"{person} was born in {tiny.town_of(person)} ." for person in tiny.PEOPLE]


def test_mentions_by_hand(tmp_path: Path) -> None:
    facts = (Fact("toy", "born", "Ann", "Oslo"), Fact("toy", "born", "Bob", "Rome"))
    text = write(tmp_path / "a.txt", "ann is from OSLO .", "Ann and Bob in Oslo .", "Anna in Oslo .", "Bob in Romeo .")
    mentions = mentions_table([("a.txt", text)], [ProbeSet("toy", (BORN,), facts)])
    assert mentions[["subject", "mentions"]].to_dict("records") == [
        {"subject": "Ann", "mentions": 2},
        {"subject": "Bob", "mentions": 0},
    ]
    (row,) = by_relation(mentions).to_dict("records")
    assert row == {"corpus": "a.txt", "probe_set": "toy", "relation": "born", "facts": 2, "mentioned": 1, "mentions": 2}


def test_counts_of_real_facts_equal_a_slow_search(shared_data: Path, tmp_path: Path) -> None:
    lines = (shared_data / "text/trex_sentences.txt").read_text(encoding="utf-8").splitlines()[:3000]
    mentions = mentions_table([("part", write(tmp_path / "part.txt", *lines))], read_probe_sets(["atlas"], None))
    passages = passages_of(tmp_path / "part.txt")

    def named(name: str) -> set[int]:
        pattern = re.compile(rf"(?<!\w){re.escape(name.casefold())}(?!\w)")
        return {i for i, passage in enumerate(passages) if pattern.search(passage.casefold())}

    chosen = mentions.sample(60, random_state=0)
    chosen = pd.concat([chosen, mentions[mentions["mentions"] > 0].head(20)])
    for row in chosen.itertuples():
        assert row.mentions == len(named(row.subject) & named(row.object)), (row.subject, row.object)


def test_forty_thousand_facts_in_two_hundred_thousand_sentences() -> None:
    """Well under two minutes, most of it in the multi-pattern search."""
    chance = random.Random(0)
    names = [f"{a}{b}{c}" for a in "bdfgklmn" for b in ("ala", "ere", "iri", "oso", "unu") for c in range(250)]
    facts = [Fact("toy", "born", *chance.sample(names, 2)) for _ in range(40_000)]
    texts = [
        " ".join(["the", *chance.sample(names, 4), "and some more words of the sentence ."]) for _ in range(200_000)
    ]
    began = time.process_time()
    counts = mentions_per_fact(texts, facts)
    assert time.process_time() - began < 60
    fact = max(facts, key=lambda one: counts[one.id])
    words = ({fact.subject, fact.object} <= set(text.split()) for text in texts)
    assert counts[fact.id] == sum(words) > 0


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    tiny.write_lama(tmp_path / "lama")
    tiny.write_text(tmp_path / "toy.txt")
    return tmp_path


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def coverage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the command in this process; gives its exit code and what it prints on both outputs."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["bertnesia", "coverage", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


def test_the_command_counts_by_relation_and_writes_each_fact(toy: Path, coverage: Command) -> None:
    arguments = (toy / "toy.txt", "--probes", "trex", "--data", toy)
    code, out, _ = coverage(*arguments, "--csv", toy / "facts.csv", "--json")
    assert code == 0
    rows = {row["relation"]: row for row in json.loads(out)}
    assert rows["P1"]["facts"] == rows["P1"]["mentioned"] == 12
    facts = pd.read_csv(toy / "facts.csv")
    assert len(facts) == 20
    assert facts.loc[facts["relation"] == "P1", "mentions"].sum() == rows["P1"]["mentions"]
    _, shown, _ = coverage(*arguments)
    assert re.search(r"P1\s*│\s*12\s*│\s*12\s*│\s*100.0%", shown)


def test_a_missing_text_is_named(toy: Path, coverage: Command) -> None:
    code, _, err = coverage(toy / "none.txt", "--probes", "trex", "--data", toy)
    assert code == 2
    assert "none.txt" in err
