"""Short sentences out of long ones: the main clause of an encyclopaedia's sentence, as short as a cloze prompt."""

import re
from collections.abc import Iterator, Sequence

from bertnesia.corpora import Passage, position_of

_BRACKETS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]")
_VERB = re.compile(
    r" (?:is|was|are|were|has|had|became|becomes|plays|played|lives|lived|died|works|worked|belongs|speaks|contains|"
    r"borders|won|wrote|founded|married) ",
)
_CLAUSE_END = re.compile(
    r"(?: ?[,;:] | – | which | who | whose | whom | where | when | while | that | because | although | as well as |"
    r" (?:and|but|or) (?:was|is|has|had|he|she|it|they|the|a|an|is|later|also) |\.$|\. )"
)
_FEWEST, _MOST = 4, 16  # words


def shorten(text: str) -> str | None:
    """The first clause of a sentence, without what stands in brackets, if it has a verb and 4 to 16 words.

    None where there is no such clause, or where the sentence is no longer than it.

    >>> shorten("Todalen Church (Norwegian: Todalen kyrkje) is a parish church in Surnadal, which lies in Norway.")
    'Todalen Church is a parish church in Surnadal.'
    """
    bare = _BRACKETS.sub("", text).strip()
    verb = _VERB.search(bare)
    if verb is None:
        return None
    subject = bare[: verb.start()]
    if any(mark in subject for mark in ",;:\"'“”") or not subject[:1].isupper():
        return None
    end = _CLAUSE_END.search(bare, verb.end())
    clause = bare[: end.start() if end else len(bare)].rstrip(" .") + "."
    words = len(clause.split())
    return clause if _FEWEST <= words <= _MOST and words < len(text.split()) else None


def shortened(passages: Sequence[Passage], share: float) -> Iterator[Passage]:
    """The short forms of a `share` of the passages, each in its passage's group.

    Which passages is decided by their text, so a larger share holds the smaller one.
    """
    for passage in passages:
        if position_of(f"short: {passage.text}") < share and (short := shorten(passage.text)):
            yield Passage(short, passage.group)
