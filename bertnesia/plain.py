"""Typed and data text, made to show as what it is wherever markup or writing direction could be read into it."""

import re
import unicodedata

_BIDIRECTIONAL = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_MARKUP = re.compile(r"[!-/:-@\[-`{-~]")
_JOINED = ":.@<>-"
"""Marks of emojis, links and arrows, which are looked for even in text that is escaped."""


def visible(text: str) -> str:
    """The text with control characters, and those that turn the direction of what follows, as code points: ⟨U+202E⟩."""
    return "".join(f"⟨U+{ord(one):04X}⟩" if _is_hidden(one) else one for one in text)


def as_markdown(text: str) -> str:
    """Markdown that shows exactly this text in one line: nothing in it is markup, a formula, an icon or an emoji."""
    shown = " ".join(visible(text).split())
    # The joiner behind a mark has no width.
    return _MARKUP.sub(lambda mark: f"\\{mark[0]}" + "\u2060" * (mark[0] in _JOINED), shown)


def _is_hidden(character: str) -> bool:
    if character in _BIDIRECTIONAL:
        return True
    return unicodedata.category(character) in {"Cc", "Cs"} and character not in "\t\n\r"
