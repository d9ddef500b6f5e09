"""States of the United States."""

from bertnesia.probes.atlas.recipe import Recipe, package


def state_capitals() -> list[tuple[str, str]]:
    """(state of the United States, capital), unless the capital's name holds the state's."""
    return [(state.name, state.capital) for state in package("us").states.STATES if state.name not in state.capital]


RECIPES = (
    Recipe(
        "state-capital",
        "The capital of the state of [X] is [Y] .",
        ("[Y] is the capital of the state of [X] .", "The state of [X] has its capital in [Y] ."),
        "state capital",
        "the capital of a state of the United States",
        "1-1",
        ("us",),
        state_capitals,
    ),
    Recipe(
        "state-capital-of",
        "[X] is the capital of the state of [Y] .",
        ("The capital of the state of [Y] is [X] .", "[X] serves as the capital of the state of [Y] ."),
        "state capital of",
        "the state of the United States whose capital a city is",
        "1-1",
        ("us",),
        lambda: ((capital, state) for state, capital in state_capitals()),
    ),
)
