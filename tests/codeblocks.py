"""The code blocks of README and documentation."""

import re
import textwrap
from dataclasses import dataclass

_BLOCK = re.compile(
    r"(?:<!-- *not run: *(?P<reason>[^>]*?) *-->\s*\n)?"
    r'^(?P<indent> *)```(?P<language>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<lines>.*?)^ *```$',
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A code block of a page; one with a `title` is the file of that name, one with a `reason` is not to be run."""

    line: int
    language: str
    title: str | None
    reason: str | None
    code: str


def blocks(text: str) -> list[Block]:
    return [
        Block(
            text.count("\n", 0, match.start("lines")) + 1,
            match["language"],
            match["title"],
            match["reason"],
            textwrap.dedent(match["lines"]),
        )
        for match in _BLOCK.finditer(text)
    ]
