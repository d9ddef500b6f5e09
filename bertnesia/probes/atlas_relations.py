"""What `atlas` takes from each package, and the rules by which disputed, dated, odd or obscure facts stay out."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any

from bertnesia.errors import BertnesiaError

Pairs = Iterable[tuple[str, str]]
Record = Mapping[str, Any]

FEWEST_PEOPLE = 250_000
_COUNTRY_NAMES = {"NL": "Netherlands", "TL": "East Timor", "CV": "Cape Verde"}
_NO_STATES = frozenset({"AN", "CS", "EH", "GP", "HK", "MO", "MQ", "NC", "PF", "PR", "PS", "RE", "TW", "XK", "YT"})
"""Dependent, dissolved or disputed territories of more than `FEWEST_PEOPLE`."""
_NAMESAKES = frozenset({"Georgia"})
"""Names that mean a country as well as a state of the United States, left out as subjects."""
_NO_SETTLED_CAPITAL = frozenset({"BI", "BJ", "BO", "CI", "GQ", "ID", "IL", "KZ", "LK", "MV", "SZ", "US", "YE", "ZA"})
"""The capital is disputed, one of several, moved lately, or named ambiguously."""
_ON_TWO_CONTINENTS = frozenset({"AM", "AZ", "CY", "EG", "GE", "ID", "KZ", "RU", "TL", "TR"})
_CONTINENTS = {"AF": "Africa", "AS": "Asia", "EU": "Europe", "OC": "Oceania"}
_DOUBTFUL_BORDERS = ({"AL", "RS"}, {"CU", "US"}, {"ES", "MA"})
"""Borders of a disputed territory, a military base and exclaves."""
_CHANGED_CURRENCY = frozenset({"BG", "HR", "ZW"})
_DOUBTFUL_LANGUAGES = {
    "AF": {"fa"},
    "BF": {"fr"},
    "BW": {"tn"},
    "DZ": {"fr"},
    "EC": {"qu"},
    "ER": {"ar", "en"},
    "IL": {"ar"},
    "MG": {"en"},
    "ML": {"fr"},
    "MU": {"en", "fr"},
    "MW": {"ny"},
    "NE": {"fr"},
    "NG": {"yo"},
    "NZ": {"mi"},
    "TN": {"fr"},
}
"""Official in the source, but no longer so, or in a part of the country, or less so than one it does not list."""
_LANGUAGE_NAMES = {"bn": "Bengali"}
_NO_HOMELAND = frozenset({"eo", "ia", "la", "yi"})
_OBSCURE_LANGUAGES = frozenset({"bew", "brx", "ccp", "kgp", "lij", "xnr", "yrl"})
_KNOWN_LANGUAGE = 400
"""CLDR's larger locales, those of languages a reader has heard of, name at least so many other languages."""
_CITIES_OF_A_COUNTRY, _CITIES_OF_A_STATE = 5, 7
_DISPUTED_CITIES = frozenset({"Jerusalem"})
_DOUBTFUL_DISCOVERIES = frozenset({"Barium", "Platinum", "Radon", "Tellurium", "Vanadium"})
_LAST_UNDISPUTED_ELEMENT = 92


def package(name: str) -> Any:
    """A package that is needed here only, imported.

    Raises:
        BertnesiaError: if it is not installed.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise BertnesiaError(
            f"Building the atlas needs one more package: pip install {name.partition('.')[0]}."
        ) from error


def one_word(text: str) -> bool:
    """Whether a label is a single word: letters only."""
    return text.isalpha()


def countries(geonames: Any) -> dict[str, Record]:
    """Sovereign countries that a reader has heard of, by ISO code, under plain names."""
    return {
        code: {**record, "name": _COUNTRY_NAMES.get(code, record["name"])}
        for code, record in sorted(geonames.get_countries().items())
        if record["population"] >= FEWEST_PEOPLE and code not in _NO_STATES
    }


def capitals(geonames: Any) -> Iterator[tuple[str, str]]:
    """(country, capital), unless one name holds the other."""
    for code, record in countries(geonames).items():
        country, capital = record["name"], record["capital"]
        told = country.casefold() in capital.casefold() or capital.casefold() in country.casefold()
        if code not in _NO_SETTLED_CAPITAL and not told:
            yield country, capital


def continents(geonames: Any) -> Iterator[tuple[str, str]]:
    """(country, continent), for countries on one continent with a name of one word."""
    for code, record in countries(geonames).items():
        if code not in _ON_TWO_CONTINENTS and record["continentcode"] in _CONTINENTS:
            yield record["name"], _CONTINENTS[record["continentcode"]]


def borders(geonames: Any) -> Iterator[tuple[str, str]]:
    """(country, neighbour), where the source lists each as the other's neighbour by land."""
    known = countries(geonames)
    neighbours = {code: set(record["neighbours"].split(",")) & known.keys() for code, record in known.items()}
    for code, beside in neighbours.items():
        for other in sorted(beside):
            if code in neighbours[other] and {code, other} not in _DOUBTFUL_BORDERS:
                yield known[code]["name"], known[other]["name"]


def official_languages(geonames: Any) -> Iterator[tuple[str, str]]:
    """(country, language): official by law, or where there is no such language, in practice."""
    for code, record in countries(geonames).items():
        for language in _official(code):
            yield record["name"], _language_name(language)


def _official(territory: str) -> tuple[str, ...]:
    official = package("babel.languages").get_official_languages
    languages: tuple[str, ...] = official(territory) or official(territory, de_facto=True)
    doubtful = _DOUBTFUL_LANGUAGES.get(territory, set())
    return tuple(language for language in languages if language not in doubtful)


def _language_name(code: str) -> str:
    return _LANGUAGE_NAMES.get(code) or package("babel").Locale("en").languages.get(code) or ""


def spoken_languages(geonames: Any) -> Iterator[tuple[str, str]]:
    """(language, country) by CLDR's likely territory, and where official, for languages official in at most five."""
    known = countries(geonames)
    official = [(language, code) for code in known for language in _official(code)]
    spread = Counter(language for language, _ in official)
    likely = package("babel.core").get_global("likely_subtags")
    languages = _known_languages()
    home = [(language, likely[language].split("_")[-1]) for language in sorted(languages) if language in likely]
    for language, code in [*home, *official]:
        name = _language_name(language)
        if language in languages and one_word(name) and spread[language] <= 5 and code in known:
            yield name, known[code]["name"]


def _known_languages() -> frozenset[str]:
    babel = package("babel")
    known: set[str] = set()
    for language in {name.split("_")[0] for name in package("babel.localedata").locale_identifiers()}:
        with suppress(babel.UnknownLocaleError):
            if len(babel.Locale.parse(language).languages) >= _KNOWN_LANGUAGE:
                known.add(language)
    return frozenset(known - _NO_HOMELAND - _OBSCURE_LANGUAGES)


def currencies(geonames: Any) -> Iterator[tuple[str, str]]:
    """(country, currency), by the currency's everyday name: the last word of "Canadian Dollar"."""
    names = package("babel").Locale("en").currencies
    for code, record in countries(geonames).items():
        tender = package("babel.numbers").get_territory_currencies(code)
        if len(tender) == 1 and code not in _CHANGED_CURRENCY:
            yield record["name"], names[tender[0]].split()[-1].lower()


def cities(geonames: Any) -> Iterator[tuple[str, str]]:
    """(city, country), the largest few of each country among cities known by many names."""
    known = countries(geonames)
    of_country: dict[str, list[Record]] = defaultdict(list)
    for city in _famous_cities(geonames, people=300_000, names=40, near=30.0):
        if city["countrycode"] in known:
            of_country[city["countrycode"]].append(city)
    for code, found in sorted(of_country.items()):
        country = known[code]["name"]
        for city in found[:_CITIES_OF_A_COUNTRY]:
            if city["name"] not in _DISPUTED_CITIES:
                yield city["name"], country


def state_cities(geonames: Any) -> Iterator[tuple[str, str]]:
    """(city, state of the United States), the largest few of each state."""
    states = {code: record["name"] for code, record in geonames.get_us_states().items()}
    of_state: dict[str, list[Record]] = defaultdict(list)
    for city in _famous_cities(geonames, people=150_000, names=12, near=12.0):
        if city["countrycode"] == "US" and city["admin1code"] in states:
            of_state[states[city["admin1code"]]].append(city)
    for state, found in sorted(of_state.items()):
        for city in found[:_CITIES_OF_A_STATE]:
            yield city["name"], state


def _famous_cities(geonames: Any, people: int, names: int, near: float) -> list[Record]:
    """Cities, largest first, that have `names` names and mean one place that is no part of another.

    A namesake is of note from a twentieth of the city's inhabitants on, abroad or in another state of the United
    States; a country of that name always is. Districts, which the source lists among cities, lie within `near` km of
    a larger city.
    """
    every = sorted(geonames.get_cities().values(), key=lambda city: (-city["population"], city["geonameid"]))
    of_name: dict[str, list[Record]] = defaultdict(list)
    for city in every:
        of_name[city["name"].casefold()].append(city)
    nations = {record["name"] for record in geonames.get_countries().values()}
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
            and all(_kilometres(city, other) > near for other in larger[city["countrycode"]])
        ):
            famous.append(city)
        larger[city["countrycode"]].append(city)
    return famous


def _noted(city: Record, other: Record) -> bool:
    abroad = city["countrycode"] != other["countrycode"]
    in_other_state = city["countrycode"] == "US" and city["admin1code"] != other["admin1code"]
    noted: bool = (abroad or in_other_state) and other["population"] * 20 >= city["population"]
    return noted


def _kilometres(one: Record, other: Record) -> float:
    """Distance on the sphere, haversine formula."""
    north, south = math.radians(one["latitude"]), math.radians(other["latitude"])
    east = math.radians(one["longitude"] - other["longitude"])
    chord = math.sin((north - south) / 2) ** 2 + math.cos(north) * math.cos(south) * math.sin(east / 2) ** 2
    return 12742 * math.asin(math.sqrt(min(1.0, chord)))


def state_capitals() -> list[tuple[str, str]]:
    """(state of the United States, capital), unless the capital's name holds the state's."""
    return [(state.name, state.capital) for state in package("us").states.STATES if state.name not in state.capital]


def discoveries() -> list[tuple[str, str]]:
    """(chemical element, country), where the source names one country and no other lays claim to it."""
    table = package("mendeleev.fetch").fetch_table("elements")
    rows = zip(table["name"], table["atomic_number"], table["discovery_location"], strict=True)
    return [
        (name, place)
        for name, number, place in rows
        if isinstance(place, str) and number <= _LAST_UNDISPUTED_ELEMENT and name not in _DOUBTFUL_DISCOVERIES
    ]


def kept(pairs: Pairs) -> list[tuple[str, str]]:
    """The pairs, sorted, each once: objects of one word, subjects that mean one thing and give no answer away.

    Where a subject's name holds one of its answers, its other answers go, too: a model that gives the one away would
    be marked wrong on the others.
    """
    single = {(subject, answer) for subject, answer in pairs if one_word(answer)}
    telling = {subject for subject, answer in single if answer.casefold() in subject.casefold()}
    return sorted(pair for pair in single if pair[0] and pair[0] not in telling | _NAMESAKES)
