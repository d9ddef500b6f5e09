from pathlib import Path

import pytest

from bertnesia.errors import BertnesiaError
from bertnesia.probes import read_probe_sets
from bertnesia.probes.lama import read_lama
from bertnesia.probes.uhn import read_uhn

from .lama_files import google, small_lama, trex, write_folder, write_zip

UHN = {
    "TREx_UHN/P19.jsonl": [trex("Bob", "Rome")],
    "TREx_UHN/P20.jsonl": [],
    "Google_RE_UHN/place_of_birth_test.jsonl": [google("Cy", "Bonn"), google("Di", "Kiel", 2, 3)],
    "Google_RE_UHN/date_of_birth_test.jsonl": [google("Cy", "1941")],
}


def test_both_probe_sets_stand_beside_lamas_own(tmp_path: Path) -> None:
    write_folder(tmp_path / "lama", {**small_lama(), **UHN})
    trex_uhn, google_re_uhn, whole = read_probe_sets(["trex_uhn", "google_re_uhn", "trex"], tmp_path)
    assert [(fact.relation, fact.subject, fact.object) for fact in trex_uhn.facts] == [("P19", "Bob", "Rome")]
    assert [relation.template for relation in trex_uhn.relations] == ["[X] was born in [Y] ."]
    assert [(fact.relation, fact.object) for fact in google_re_uhn.facts] == [
        ("place_of_birth", "Bonn"),
        ("date_of_birth", "1941"),
    ]
    assert {relation.probe_set for relation in google_re_uhn.relations} == {"google_re_uhn"}
    assert [str(problem) for problem in google_re_uhn.problems] == [
        "Google_RE_UHN/place_of_birth_test.jsonl: facts that most judges reject: 1",
        "Google_RE_UHN/place_of_death_test.jsonl: no file with facts of relation place_of_death",
    ]
    assert (trex_uhn.label, trex_uhn.licence) == ("LAMA-UHN T-REx", "CC BY-NC 4.0")
    assert {fact.id for fact in trex_uhn.facts}.isdisjoint(fact.id for fact in whole.facts)


@pytest.mark.parametrize("zipped", [False, True])
def test_files_one_folder_lower_are_found(tmp_path: Path, zipped: bool) -> None:
    lower = {name.replace("_UHN/", "_UHN/bert-base-uncased/"): lines for name, lines in UHN.items()}
    files = {**small_lama(), **lower}
    source = write_zip(tmp_path / "data.zip", files, "data/") if zipped else write_folder(tmp_path, files)
    assert [fact.subject for fact in read_uhn(source, "trex_uhn").facts] == ["Bob"]
    assert len(read_uhn(source, "google_re_uhn").facts) == 2


def test_which_judge_to_read_must_be_clear(tmp_path: Path) -> None:
    files = {f"TREx_UHN/{judge}/P19.jsonl": [trex("Bob", "Rome")] for judge in ("bert-a", "bert-b")}
    write_folder(tmp_path, {**small_lama(), **files})
    with pytest.raises(BertnesiaError, match=r"TREx_UHN holds bert-a, bert-b: keep the one to read"):
        read_uhn(tmp_path, "trex_uhn")


def test_lama_without_the_filtered_folder_says_how_to_make_it(tmp_path: Path) -> None:
    write_folder(tmp_path, small_lama())
    with pytest.raises(BertnesiaError, match=r"no TREx_UHN/\*\.jsonl, which LAMA's own scripts/create_lama_uhn\.py"):
        read_uhn(tmp_path, "trex_uhn")
    with pytest.raises(BertnesiaError, match="trex_uhn does not ship: say where LAMA-UHN's files are"):
        read_probe_sets(["trex_uhn"], None)


def test_the_filtered_folders_are_no_part_of_lama_itself(tmp_path: Path) -> None:
    write_folder(tmp_path, {**small_lama(), **UHN})
    assert list(read_lama(tmp_path)) == ["trex", "google_re", "conceptnet", "squad"]
    assert len(read_lama(tmp_path)["trex"].facts) == 2
