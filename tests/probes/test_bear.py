import copy
import hashlib
from pathlib import Path

import pytest

from bertnesia.errors import BertnesiaError
from bertnesia.probes import read_probe_sets
from bertnesia.probes.bear import read_bear

from .bear_files import FACTS, METADATA, fact, write_bear


def test_relations_have_an_answer_space_and_paraphrases(tmp_path: Path) -> None:
    bear = read_bear(write_bear(tmp_path))
    capital, continent = bear.relations
    assert capital.template == "The capital of [X] is [Y]."
    assert capital.paraphrases == ("[Y] is the capital of [X].",), "each template once"
    assert capital.answer_space == ("Arlo", "New Bexi", "Cumo")
    assert (capital.label, capital.description) == ("capital", "Domains: Geographic, Political.")
    assert (continent.paraphrases, continent.label, continent.description) == ((), "continent", "")
    assert [(one.relation, one.subject, one.object, one.object_uri) for one in bear.facts] == [
        ("P36", "Westland", "Arlo", "Q1"),
        ("P36", "Eastland", "New Bexi", "Q2"),
        ("P36", "Mid", "Cumo", "Q3"),
        ("P30", "Westland", "Norland", None),
        ("P30", "Eastland", "South Sea", None),
    ]
    assert bear.problems == ()
    path = tmp_path / "BEAR/P30.jsonl"
    assert bear.hashes["P30.jsonl"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert set(bear.hashes) == {"metadata_relations.json", "P36.jsonl", "P30.jsonl"}


def test_the_two_ways_of_scoring_are_two_probe_sets(tmp_path: Path) -> None:
    write_bear(tmp_path / "bear")
    bear, original = read_probe_sets(["bear", "bear_original"], tmp_path)
    assert (bear.scoring, original.scoring) == ("within_word_l2r", "original")
    assert (bear.label, original.label) == ("BEAR", "BEAR (original scores)")
    assert {one.id for one in bear.facts}.isdisjoint(one.id for one in original.facts)
    assert [one.key for one in bear.facts] == [one.key for one in original.facts]


@pytest.mark.parametrize("below", ["", "BEAR"])
def test_the_folder_itself_or_the_one_above_may_be_named(tmp_path: Path, below: str) -> None:
    write_bear(tmp_path)
    assert len(read_bear(tmp_path / below).facts) == 5


def test_bad_lines_and_relations_are_named_and_do_not_stop_the_rest(tmp_path: Path) -> None:
    metadata = copy.deepcopy(METADATA)
    metadata["P26"] = {"templates": ["[X] loves [Y]."], "answer_space_labels": ["Ann", "Ann"]}
    metadata["P27"] = {"templates": ["no places"], "answer_space_labels": ["Ann"]}
    metadata["P50"] = {"templates": ["[X] by [Y]."], "answer_space_labels": ["Ann"]}
    facts = copy.deepcopy(FACTS) | {
        "P30": [
            "{",
            fact("A", 2, "Norland"),
            fact("B", 0, "South Sea"),
            {"sub_label": "C", "answer_idx": "0"},
            {"sub_label": "D", "answer_idx": 1},
        ]
    }
    bear = read_bear(write_bear(tmp_path, metadata, facts))
    assert [str(problem) for problem in bear.problems] == [
        "P30.jsonl, line 1: not JSON",
        'P30.jsonl, line 2: field "answer_idx" is not a place in the answer space',
        'P30.jsonl, line 3: field "answer_idx" leads to "Norland", not to "South Sea"',
        'P30.jsonl, line 4: field "answer_idx" is not a place in the answer space',
        'metadata_relations.json: relation P26: the answer space names "Ann" twice',
        'metadata_relations.json: relation P27: the template "no places" needs [X] and one [Y]',
        "P50.jsonl: no file with facts of relation P50",
    ]
    assert [(one.subject, one.object) for one in bear.facts if one.relation == "P30"] == [("D", "South Sea")]


def test_what_is_missing_or_broken_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BertnesiaError, match="bear does not ship: say where BEAR's files are"):
        read_probe_sets(["bear"], None)
    with pytest.raises(BertnesiaError, match="no probe data at"):
        read_bear(tmp_path / "nowhere")
    with pytest.raises(BertnesiaError, match=r"does not hold BEAR: there is no metadata_relations\.json"):
        read_bear(tmp_path)
    write_bear(tmp_path / "a", METADATA, {})
    with pytest.raises(BertnesiaError, match="no facts of BEAR that can be used"):
        read_bear(tmp_path / "a")
    path = write_bear(tmp_path / "b") / "BEAR/metadata_relations.json"
    for content, fault in (("{", "not valid JSON"), ("[]", "not a table of relations")):
        path.write_text(content)
        with pytest.raises(BertnesiaError, match=fault):
            read_bear(tmp_path / "b")


def test_the_real_bear_has_the_known_counts(shared_data: Path) -> None:
    bear = read_bear(shared_data)
    assert (len(bear.facts), len(bear.relations), bear.problems) == (7731, 60, ())
    assert all(1 <= len(relation.paraphrases) <= 2 for relation in bear.relations)
    assert all(relation.label != relation.id for relation in bear.relations)
    assert all(one.object in bear.relation[one.relation].answer_space for one in bear.facts)
