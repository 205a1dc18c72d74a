"""The fonts of the picture in previews of links."""

from streamchat.web.fonts import drawable

# a letter of no font
NONE = "\U000ffffd"


def test_letters_that_no_font_has_are_left_out() -> None:
    """The others are drawn; a text of which most is missing is left out as a whole."""
    assert drawable(f"Chat {NONE} with Claude", 40)[0] == "Chat with Claude"
    assert drawable(f"a {NONE * 5}", 40)[0] == ""
    assert drawable("", 40)[0] == ""
