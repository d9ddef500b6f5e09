import importlib.metadata
import json
from collections import Counter
from pathlib import Path

import pytest

from bertnesia.errors import BertnesiaError
from bertnesia.probes import atlas, read_probe_sets
from bertnesia.probes.atlas.recipe import kept, one_word
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
    assert len(shipped.facts) >= 5000
    assert len({fact.id for fact in shipped.facts}) == len(shipped.facts)


def test_facts_of_words_are_fewer_than_facts_of_the_world(shipped: ProbeSet) -> None:
    of_words = [fact for fact in shipped.facts if "WordNet" in shipped.relation[fact.relation].source]
    assert 0 < len(of_words) <= 0.4 * len(shipped.facts)


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
    told = [fact for fact in shipped.facts if fact.object.casefold() in fact.subject.casefold()]
    assert [fact for fact in told if not fact.object_in_subject] == [], "those that are told are marked"
    assert len(told) <= 0.01 * len(shipped.facts)


def test_the_readme_counts_and_credits_what_ships(shipped: ProbeSet) -> None:
    readme = (ATLAS / "README.md").read_text("utf-8")
    assert f"{len(shipped.facts):,} facts in {len(shipped.relations)} relations" in readme
    sizes = Counter(fact.relation for fact in shipped.facts)
    for relation in shipped.relations:
        assert f"| `{relation.id}` | {relation.template} | {relation.type} | {sizes[relation.id]} |" in readme
        for source in relation.source.split("; "):
            assert f"| {source.partition(' (')[0]} |" in readme
    for licence, start in [
        ("unicode", "UNICODE LICENSE V3"),
        ("wordnet", "WordNet Release 3.0"),
        ("mit", "MIT License"),
    ]:
        assert f"(LICENSE.{licence})" in readme
        assert (ATLAS / f"LICENSE.{licence}").read_text("utf-8").startswith(start)


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
        ("currency-of", "zloty", "poland"),
        ("adjective", "peru", "peruvian"),
        ("script", "russian", "cyrillic"),
        ("city-continent", "bangkok", "asia"),
        ("time-zone", "denver", "mountain"),
        ("city-in-region", "palermo", "sicily"),
        ("airport-in", "charles de gaulle international airport", "france"),
        ("airport-of-city", "jinnah international airport", "karachi"),
        ("moon-of", "titan", "saturn"),
        ("next-in-order", "december", "january"),
        ("independence-month", "mexico", "september"),
        ("kind-of-animal", "robin", "bird"),
        ("opposite", "hot", "cold"),
    ]:
        assert expected in told, expected


def test_known_falsehoods_are_not_there(shipped: ProbeSet) -> None:
    told = {fact.key for fact in shipped.facts}
    for wrong in [
        ("city-in", "sevastopol", "russia"),
        ("city-in", "sevastopol", "ukraine"),
        ("city-in-region", "changsha", "guangdong"),
        ("airport-of-city", "toronto pearson international airport", "mississauga"),
        ("independence-month", "somalia", "june"),
        ("script", "japanese", "japanese"),
        ("country-of", "congolese", "congo"),
        ("currency-of", "krona", "sweden"),
    ]:
        assert wrong not in told, wrong
    assert not {fact.subject for fact in shipped.facts if fact.relation.startswith("city")} & {"Jerusalem", "Georgia"}


def test_what_is_kept_of_pairs() -> None:
    pairs = [
        ("France", "Paris"),
        ("France", "Paris"),
        ("Panama", "Panama City"),
        ("Somalia", "Somali"),
        ("Somalia", "Arabic"),
        ("Georgia", "Atlanta"),
        ("Mexico City", "Mexico"),
        ("", "Rome"),
        ("Chile", "Santiago"),
    ]
    assert kept(pairs) == [("Chile", "Santiago"), ("France", "Paris"), ("Mexico City", "Mexico")]


def test_building_again_gives_the_shipped_files(tmp_path: Path) -> None:
    lines = (ATLAS / "relations.jsonl").read_text("utf-8").splitlines()
    recorded = {source for line in lines for source in json.loads(line)["source"].split("; ")}
    if missing := [source for source in recorded if not atlas.is_installed(source)]:
        pytest.skip(f"rebuilding the same files needs {missing[0]}")
    atlas.build_atlas(tmp_path)
    built = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.glob("**/*.jsonl")}
    assert built == {path.relative_to(ATLAS): path.read_bytes() for path in ATLAS.glob("**/*.jsonl")}


def test_a_missing_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr("bertnesia.probes.atlas.importlib.metadata.version", missing)
    with pytest.raises(BertnesiaError, match="pip install"):
        atlas.build_atlas(tmp_path)
    assert atlas.main([str(tmp_path)]) == 2
    assert "Building the atlas needs" in capsys.readouterr().err
    assert atlas.main([]) == 2
