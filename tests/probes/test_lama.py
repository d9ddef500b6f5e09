import hashlib
from collections import Counter
from pathlib import Path

import pytest

from bertnesia.errors import BertnesiaError
from bertnesia.probes.facts import ProbeSet, prompt_of
from bertnesia.probes.lama import read_lama

from .lama_files import BORN, DIED, google, sentence, small_lama, trex, write_folder, write_zip

REBUILT = {f"P{number}" for number in (1001, 131, 1376, 17, 190, 276, 279, 30, 36, 361, 37, 47, 530)}


def prompts(probe_set: ProbeSet) -> list[str]:
    return [prompt_of(fact, probe_set.relation[fact.relation]) for fact in probe_set.facts]


def reasons(probe_set: ProbeSet) -> list[str]:
    return [str(problem) for problem in probe_set.problems]


def test_every_probe_set_is_read_with_its_prompts(tmp_path: Path) -> None:
    sets = read_lama(write_folder(tmp_path, small_lama()))
    assert list(sets) == ["trex", "google_re", "conceptnet", "squad"]
    assert prompts(sets["trex"]) == ["Ann was born in [MASK] .", "Bob was born in [MASK] ."]
    assert prompts(sets["google_re"]) == [
        "Cy was born in [MASK] .",
        "Ed was born in [MASK] .",
        "Cy (born [MASK]).",
        "Cy died in [MASK] .",
    ]
    assert prompts(sets["conceptnet"]) == ["Hens can [MASK].", "Hens are [MASK]."]
    assert [relation.label for relation in sets["conceptnet"].relations] == ["capable of", "is a"]
    assert prompts(sets["squad"]) == ["The sky is [MASK].", "The sea is [MASK]."]
    assert [fact.subject for fact in sets["squad"].facts] == ["q1_0", "q2_0"]


def test_facts_are_distinct_by_case_folded_subject_and_object_and_keep_their_uris(tmp_path: Path) -> None:
    facts = read_lama(write_folder(tmp_path, small_lama()))["trex"].facts
    assert [(fact.subject, fact.object, fact.subject_uri, fact.object_uri) for fact in facts] == [
        ("Ann", "Oslo", "Q1", "Q9"),
        ("Bob", "Rome", None, None),
    ]


def test_relations_without_facts_and_rejected_facts_are_listed(tmp_path: Path) -> None:
    sets = read_lama(write_folder(tmp_path, small_lama()))
    assert [relation.id for relation in sets["trex"].relations] == ["P19"]
    assert reasons(sets["trex"]) == ["TREx/P20.jsonl: no file with facts of relation P20"]
    assert reasons(sets["google_re"]) == ["Google_RE/place_of_birth_test.jsonl: facts that most judges reject: 1"]


def test_hashes_name_every_file_read(tmp_path: Path) -> None:
    probe_set = read_lama(write_folder(tmp_path, small_lama()))["trex"]
    assert probe_set.hashes == {
        name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        for name in ("relations.jsonl", "TREx/P19.jsonl")
    }


@pytest.mark.parametrize("prefix", ["", "data/"])
@pytest.mark.parametrize("inside_folder", [False, True])
def test_zip_gives_the_same_as_the_folder(tmp_path: Path, prefix: str, inside_folder: bool) -> None:
    folder = write_folder(tmp_path / "folder", small_lama())
    archive = write_zip(tmp_path / "data.zip", small_lama(), prefix)
    assert read_lama(archive.parent if inside_folder else archive) == read_lama(folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.zip", "folder"]


@pytest.mark.parametrize("below", ["lama", "data", "lama/data"])
def test_the_layout_may_lie_in_a_folder_below(tmp_path: Path, below: str) -> None:
    write_folder(tmp_path / below, small_lama())
    assert len(read_lama(tmp_path)) == 4


def test_bad_lines_are_named_and_do_not_stop_the_reading(tmp_path: Path) -> None:
    files = small_lama()
    files["TREx/P19.jsonl"] = [
        "{broken",
        "[1, 2]",
        {"sub_label": "Ann"},
        trex("Ann", "  "),
        trex("Ann", 7),  # type: ignore[arg-type]
        trex("Ann", "Oslo", relation="P20"),
        "",
        trex("Ann", "Oslo", sub_uri=3),
        trex("\ud800", "Oslo"),
        "[" * 100_000,
        trex("Ann", " New\nOslo "),
    ]
    probe_set = read_lama(write_folder(tmp_path, files), ["trex"])["trex"]
    assert [(fact.subject, fact.object) for fact in probe_set.facts] == [("Ann", "New Oslo")]
    assert [(problem.line, problem.reason) for problem in probe_set.problems[:-1]] == [
        (1, "not JSON"),
        (2, "not a JSON object"),
        (3, 'field "obj_label" is missing'),
        (4, 'field "obj_label" is empty'),
        (5, 'field "obj_label" is not text'),
        (6, "a fact of relation P20 in the file of P19"),
        (8, 'field "sub_uri" is not text'),
        (9, 'field "sub_label" holds a broken character'),
        (10, "not JSON"),
    ]
    assert {problem.file for problem in probe_set.problems[:-1]} == {"TREx/P19.jsonl"}


def test_a_line_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    write_folder(tmp_path, small_lama())
    path = tmp_path / "TREx/P19.jsonl"
    path.write_bytes(b'{"sub_label": "\xff"}\r\n' + path.read_bytes())
    probe_set = read_lama(tmp_path, ["trex"])["trex"]
    assert reasons(probe_set)[0] == "TREx/P19.jsonl, line 1: not UTF-8 text"
    assert len(probe_set.facts) == 2


def test_bad_sentences_and_judgements_are_named(tmp_path: Path) -> None:
    files = small_lama()
    files["Squad/test.jsonl"] += [
        sentence("The sky is blue.", "blue", id="q3"),
        {"masked_sentences": [], "obj_label": "blue", "id": "q4"},
        {"masked_sentences": "The sky is [MASK].", "obj_label": "blue", "id": "q5"},
        sentence("The sky is [MASK].", "blue"),
    ]
    files["Google_RE/date_of_birth_test.jsonl"].append(google("Flo", "1950") | {"judgments": "yes"})
    sets = read_lama(write_folder(tmp_path, files))
    assert [(problem.line, problem.reason) for problem in sets["squad"].problems] == [
        (3, "the sentence has no [MASK]"),
        (4, 'field "masked_sentences" is not a list of sentences'),
        (5, 'field "masked_sentences" is not a list of sentences'),
        (6, 'field "uuid" is missing'),
    ]
    assert 'Google_RE/date_of_birth_test.jsonl, line 2: field "judgments" is not a list of judgements' in reasons(
        sets["google_re"]
    )


def test_bad_relations_are_named(tmp_path: Path) -> None:
    files = small_lama()
    files["relations.jsonl"] = [
        BORN,
        BORN,
        DIED | {"template": "[X] died ."},
        DIED | {"type": "many"},
        {"relation": "P1"},
    ]
    files["TREx/P20.jsonl"] = [trex("Ann", "Rome", relation="P20")]
    probe_set = read_lama(write_folder(tmp_path, files), ["trex"])["trex"]
    assert reasons(probe_set) == [
        "relations.jsonl, line 2: relation P19 is given twice",
        'relations.jsonl, line 3: the template "[X] died ." needs [X] and one [Y]',
        'relations.jsonl, line 4: the type "many" is not 1-1, N-1 or N-M',
        'relations.jsonl, line 5: field "template" is missing',
        "TREx/P20.jsonl: no relation P20 in relations.jsonl",
    ]
    assert {fact.relation for fact in probe_set.facts} == {"P19"}


def test_paraphrases_of_a_template_are_read_and_checked(tmp_path: Path) -> None:
    files = small_lama()
    said = ["[X] is from [Y] .", BORN["template"], "[X] is from [Y] .", "In [Y] , [X] was born ."]
    files["relations.jsonl"] = [BORN | {"paraphrases": said}, DIED | {"paraphrases": ["[X] died ."]}]
    probe_set = read_lama(write_folder(tmp_path, files), ["trex"])["trex"]
    assert probe_set.relations[0].paraphrases == ("[X] is from [Y] .", "In [Y] , [X] was born .")
    assert reasons(probe_set)[0] == 'relations.jsonl, line 2: the template "[X] died ." needs [X] and one [Y]'
    for bad, fault in (([""], "holds an empty sentence"), ("x", "is not a list of sentences"), ([1], "is not text")):
        files["relations.jsonl"] = [BORN, DIED | {"paraphrases": bad}]
        probe_set = read_lama(write_folder(tmp_path, files), ["trex"])["trex"]
        assert reasons(probe_set)[0] == f'relations.jsonl, line 2: field "paraphrases" {fault}'


def test_probe_sets_say_what_they_are_called_and_under_which_licence(tmp_path: Path) -> None:
    sets = read_lama(write_folder(tmp_path, small_lama()))
    assert [one.label for one in sets.values()] == ["LAMA T-REx", "LAMA Google-RE", "LAMA ConceptNet", "LAMA SQuAD"]
    assert {(one.licence, one.scoring) for one in sets.values()} == {("CC BY-NC 4.0", "vocabulary")}


def test_a_missing_probe_set_is_listed_or_fatal_when_asked_for(tmp_path: Path) -> None:
    files = {name: lines for name, lines in small_lama().items() if not name.startswith("Google_RE")}
    write_folder(tmp_path, files)
    sets = read_lama(tmp_path)
    assert list(sets) == ["trex", "conceptnet", "squad"]
    assert reasons(sets["trex"])[0] == "Google_RE: the probe set google_re is not there"
    with pytest.raises(BertnesiaError, match=r"google_re is not in .*Google_RE"):
        read_lama(tmp_path, ["google_re"])


def test_a_missing_file_of_google_re_is_listed(tmp_path: Path) -> None:
    files = small_lama()
    del files["Google_RE/date_of_birth_test.jsonl"]
    probe_set = read_lama(write_folder(tmp_path, files), ["google_re"])["google_re"]
    assert [relation.id for relation in probe_set.relations] == ["place_of_birth", "place_of_death"]
    assert "Google_RE/date_of_birth_test.jsonl: no file with facts of relation date_of_birth" in reasons(probe_set)


def test_what_is_required_and_missing_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(BertnesiaError, match="no probe data at"):
        read_lama(tmp_path / "nowhere")
    with pytest.raises(BertnesiaError, match="no probe files in LAMA's layout"):
        read_lama(tmp_path)
    write_folder(tmp_path, {"TREx/P19.jsonl": [trex("Ann", "Oslo")]})
    with pytest.raises(BertnesiaError, match=r"no relations\.jsonl"):
        read_lama(tmp_path)
    with pytest.raises(BertnesiaError, match="no probe set bear; it has trex, google_re, conceptnet, squad"):
        read_lama(tmp_path, ["bear"])
    write_folder(tmp_path, {"relations.jsonl": [BORN], "TREx/P19.jsonl": []})
    with pytest.raises(BertnesiaError, match="no facts of the probe set trex"):
        read_lama(tmp_path)


def test_a_file_that_is_no_zip_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.zip").write_text("no archive")
    with pytest.raises(BertnesiaError, match="not a readable zip archive"):
        read_lama(tmp_path)


def test_the_real_lama_has_the_known_counts(shared_data: Path) -> None:
    sets = read_lama(shared_data)
    original = Counter(fact.relation for fact in sets["trex"].facts if fact.relation not in REBUILT)
    assert (len(original), original.total()) == (28, 22_867)
    some = {name: original[name] for name in ("P138", "P176", "P178", "P449", "P19")}
    assert some == {"P138": 642, "P176": 973, "P178": 591, "P449": 880, "P19": 944}
    google_re = Counter(fact.relation for fact in sets["google_re"].facts)
    assert google_re == {"place_of_birth": 2937, "date_of_birth": 1825, "place_of_death": 765}
    assert len(sets["squad"].facts) == 305
    assert len(sets["conceptnet"].facts) == 146
    missing = {f"TREx/P{number}.jsonl" for number in (102, 166, 1923, 54, 69)}
    assert {problem.file for problem in sets["trex"].problems} == missing
    ids = {fact.id for probe_set in sets.values() for fact in probe_set.facts}
    assert len(ids) == sum(len(probe_set.facts) for probe_set in sets.values())


def test_the_real_objects_are_single_entries_of_berts_vocabulary(shared_data: Path) -> None:
    entries = set((shared_data / "vocab/bert-base-uncased.txt").read_text(encoding="utf-8").splitlines())
    sets = read_lama(shared_data / "lama", ["trex", "google_re", "squad"])
    facts = [fact for probe_set in sets.values() for fact in probe_set.facts if fact.relation not in REBUILT]
    assert len(facts) == 22_867 + 5_527 + 305
    assert [fact for fact in facts if fact.object.lower() not in entries] == []
