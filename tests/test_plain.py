"""Text that shows as what it is."""

from bertnesia.plain import as_markdown, visible


def test_characters_that_turn_the_writing_direction_are_seen() -> None:
    assert visible("abc\u202edef\u202c\u2067\u200f") == "abc⟨U+202E⟩def⟨U+202C⟩⟨U+2067⟩⟨U+200F⟩"
    assert visible("a\x00b\x1bc\ud800") == "a⟨U+0000⟩b⟨U+001B⟩c⟨U+D800⟩"


def test_other_scripts_and_joined_characters_stay() -> None:
    for text in ("القاهرة", "שלום", "می‌خواهم", "👩‍👩‍👧", "naïve\tZürich\n", "北京"):
        assert visible(text) == text


def test_markdown_is_escaped_in_one_line() -> None:
    assert as_markdown("**a**\n_b_ $x$ `c` <b> [l](u) #") == (
        r"\*\*a\*\* \_b\_ \$x\$ \`c\` " + "\\<\u2060b\\>\u2060 " + r"\[l\]\(u\) \#"
    )


def test_names_of_emojis_and_links_are_broken_up() -> None:
    assert as_markdown(":a:") == "\\:\u2060a\\:\u2060"
    assert "www." not in as_markdown("www.example.org")
    assert "@e" not in as_markdown("a@e.org")
