"""The relations of the probe set Atlas that come from WordNet: kinds, parts, opposites, names.

Their facts are true of each word's commonest sense; the rules are in `wordnet_rules`.
"""

from collections.abc import Callable, Iterable

from bertnesia.probes.atlas import wordnet_rules as rules
from bertnesia.probes.atlas.recipe import Pairs, Recipe
from bertnesia.probes.atlas.wordnet_files import PACKAGE
from bertnesia.probes.atlas.wordnet_words import CALLINGS, KINDS, LEFT_OUT, PLACES

PACKAGES = (PACKAGE, "wordfreq")
"""What the facts come from, and what tells which words are known."""

_BODIES = ("noun.animal", "noun.artifact", "noun.body", "noun.plant")
_ACTS = ("body", "change", "communication", "competition", "consumption", "contact", "creation", "motion", "perception")


def _kinds(
    relation: str, fields: Iterable[str], least: float = rules.KNOWN_WORD, countable: bool = False
) -> Callable[[], Pairs]:
    return lambda: _facts(relation, rules.kinds(fields, KINDS[relation], least, countable))


def _facts(relation: str, pairs: Pairs) -> Pairs:
    """The pairs in balance, without the words that hold one of their answers."""
    pairs = list(pairs)
    telling = {word for word, answer in pairs if answer.casefold() in word.casefold()}
    return rules.balanced([pair for pair in pairs if pair[0] not in telling], LEFT_OUT[relation])


RECIPES = (
    Recipe(
        "kind-of-animal",
        "The [X] is a kind of [Y] .",
        ("One kind of [Y] is the [X] .", "Among animals , the [X] is a type of [Y] ."),
        "kind of animal",
        "what kind of animal a word means",
        "N-M",
        PACKAGES,
        _kinds("kind-of-animal", ["noun.animal"], least=2.5, countable=True),
    ),
    Recipe(
        "kind-of-plant",
        "The [X] is a kind of [Y] .",
        ("One kind of [Y] is the [X] .", "Among plants , the [X] is a type of [Y] ."),
        "kind of plant",
        "what kind of plant a word means",
        "N-M",
        PACKAGES,
        _kinds("kind-of-plant", ["noun.plant"], least=2.2, countable=True),
    ),
    Recipe(
        "kind-of-food",
        "[X] is a kind of [Y] .",
        ("One kind of [Y] is [X] .", "The word [X] means a type of [Y] ."),
        "kind of food",
        "what kind of food or drink a word means",
        "N-M",
        PACKAGES,
        _kinds("kind-of-food", ["noun.food"], least=2.5),
    ),
    Recipe(
        "kind-of-thing",
        "The [X] is a kind of [Y] .",
        ("One kind of [Y] is the [X] .", "The word [X] means a type of [Y] ."),
        "kind of thing",
        "what kind of made thing a word means",
        "N-M",
        PACKAGES,
        _kinds("kind-of-thing", ["noun.artifact"], countable=True),
    ),
    Recipe(
        "way-to",
        "To [X] is one way to [Y] .",
        ("One way to [Y] is to [X] .", "To [X] means to [Y] in some particular way ."),
        "way to act",
        "the plainer action that an action is a way to do",
        "N-M",
        PACKAGES,
        _kinds("way-to", [f"verb.{field}" for field in _ACTS]),
    ),
    Recipe(
        "part-of",
        "The [X] is a part of the [Y] .",
        ("A part of the [Y] is the [X] .", "The [Y] has a part that is called the [X] ."),
        "part of",
        "what a thing is a part of",
        "N-M",
        PACKAGES,
        lambda: _facts("part-of", rules.parts(_BODIES)),
    ),
    Recipe(
        "opposite",
        "The opposite of [X] is [Y] .",
        ("[Y] is the opposite of [X] .", "The words [X] and [Y] are opposites ."),
        "opposite",
        "the opposite of an adjective or noun",
        "N-M",
        PACKAGES,
        lambda: _facts("opposite", rules.opposites("an")),
    ),
    Recipe(
        "famous-place",
        "[X] is a famous [Y] .",
        ("The famous [Y] is called [X] .", "The name [X] belongs to a well known [Y] ."),
        "famous as",
        "what a name in geography, astronomy, history or mythology names",
        "N-M",
        PACKAGES,
        lambda: _facts("famous-place", rules.places(PLACES)),
    ),
    Recipe(
        "calling",
        "[X] was a famous [Y] .",
        ("[X] is remembered as a great [Y] .", "The name of the [Y] was [X] ."),
        "calling",
        "what a person of the past was known as",
        "N-M",
        PACKAGES,
        lambda: _facts("calling", rules.callings(CALLINGS)),
    ),
    Recipe(
        "nationality",
        "[X] was of [Y] nationality .",
        ("The nationality of [X] was [Y] .", "By nationality , [X] was [Y] ."),
        "nationality",
        "the nationality of a person of the past",
        "N-M",
        PACKAGES,
        lambda: _facts("nationality", rules.nationalities()),
    ),
    Recipe(
        "located-in",
        "[X] is located in [Y] .",
        ("[X] can be found in [Y] .", "[X] lies within [Y] ."),
        "located in",
        "the country of a region, river or mountain",
        "N-M",
        PACKAGES,
        lambda: _facts("located-in", rules.located()),
    ),
)
"""The relations in the order in which they ship."""
