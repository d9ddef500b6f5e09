"""Chemical elements."""

from bertnesia.probes.atlas.recipe import Recipe, package

_DOUBTFUL_DISCOVERIES = frozenset({"Barium", "Platinum", "Radon", "Tellurium", "Vanadium"})
_LAST_UNDISPUTED_ELEMENT = 92


def discoveries() -> list[tuple[str, str]]:
    """(chemical element, country), where the source names one country and no other lays claim to it."""
    table = package("mendeleev.fetch").fetch_table("elements")
    rows = zip(table["name"], table["atomic_number"], table["discovery_location"], strict=True)
    return [
        (name, place)
        for name, number, place in rows
        if isinstance(place, str) and number <= _LAST_UNDISPUTED_ELEMENT and name not in _DOUBTFUL_DISCOVERIES
    ]


RECIPES = (
    Recipe(
        "discovered-in",
        "[X] was first discovered in [Y] .",
        ("The element [X] was discovered in [Y] .", "The discovery of [X] was made in [Y] ."),
        "element discovered in",
        "the country in which a chemical element was discovered",
        "N-1",
        ("mendeleev",),
        discoveries,
    ),
)
