"""Moons of the planets."""

from collections.abc import Iterator

from bertnesia.probes.atlas.recipe import Recipe, known, package

_KNOWN_MOON = 1.0
_MOONS_OF_A_PLANET = 18
"""Moons are numbered in the order of their discovery, by and large: those that follow are hardly known."""
_PLANETS = frozenset(range(4, 9))


def moons() -> Iterator[tuple[str, str]]:
    """(moon, planet): the code of a planet ends in 99, those of its moons have its hundreds."""
    names = {code: name for code, name in package("jplephem.names").target_name_pairs if code < 1000}
    for code, name in sorted(names.items()):
        planet, moon = divmod(code, 100)
        if planet in _PLANETS and 0 < moon <= _MOONS_OF_A_PLANET and known(name, _KNOWN_MOON):
            yield name.capitalize(), names[planet * 100 + 99].capitalize()


RECIPES = (
    Recipe(
        "moon-of",
        "[X] is a moon of [Y] .",
        ("The moon [X] orbits [Y] .", "One of the moons of [Y] is [X] ."),
        "moon of",
        "the planet that a moon orbits",
        "N-1",
        ("jplephem", "wordfreq"),
        moons,
    ),
)
