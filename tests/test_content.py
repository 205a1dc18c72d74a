"""Foreign text as Markdown in which only text, links and a few bare tags are left."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from streamchat.ui.content import INERT, NOTE, inert, plain, restored
from streamchat.ui.transcript import message_of

HARMLESS = re.compile(r"</?(br|sub|sup|kbd) ?/?>", re.IGNORECASE)
PIECES = [
    "<",
    ">",
    "/",
    "!",
    "[",
    "]",
    "(",
    ")",
    "a",
    "img",
    "br",
    "sub",
    " ",
    "\n",
    "\n\n",
    "`",
    "```",
    "~~~",
    "&lt;",
]
PIECES += ["mermaid", "%%%LATEX_BLOCK_0%%%"]
PIECES += [
    '"',
    "=",
    "x.y/z",
    "https://x.y",
    ":",
    "-",
    "|",
    "- ",
    "> ",
    "    ",
    "\\",
    "<!--",
    "<![CDATA[",
    "<?php",
    "$",
]
MARKDOWN = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=60).map("".join)).map(
    plain
)


def parts(text: str) -> list[tuple[str, str]]:
    """The type and the content of every token that Markdown makes of a text."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    every = [part for token in tokens for part in [token, *(token.children or [])]]
    return [(part.type, part.content) for part in every]


@given(MARKDOWN, st.integers(0, 60))
def test_no_html_and_no_picture_is_left_at_any_prefix(text: str, length: int) -> None:
    """At any length of an answer Markdown finds no picture, and no HTML but a few bare tags."""
    for kind, content in parts(inert(text[:length])):
        assert kind != "image"
        if kind == "html_inline":
            assert HARMLESS.fullmatch(content)
        if kind == "html_block":
            assert "<" not in HARMLESS.sub("", content).replace("<" + INERT, "").replace(
                "<https", ""
            ).replace("<http", "")


@given(MARKDOWN)
def test_it_can_be_restored(text: str) -> None:
    """Making text inert is reversible and idempotent."""
    assert restored(inert(text)) == text
    assert inert(inert(text)) == inert(text)


@pytest.mark.parametrize(
    "text",
    [
        "if a<b and c>d then",
        "The page's <title> goes into the head.\n\nThen the body follows.",
        "A <textarea> and a <select>",
        "List<String> and vec![1, 2]",
        "<!-- a comment -->",
        "![a picture](x.png)",
    ],
)
def test_every_character_stays_visible(text: str) -> None:
    """A tag without backticks is shown, and so is the text after it."""
    shown = "".join(content for kind, content in parts(inert(text)) if kind == "text")
    assert set(re.findall(r"\w+", text)) - {"x", "png"} <= set(re.findall(r"\w+", restored(shown)))


@pytest.mark.parametrize(
    "text", ["<https://example.com/a?b=c>", "one<br>two", "H<sub>2</sub>O", "2 < 3", "a <- b"]
)
def test_harmless_text_stays_as_it_is(text: str) -> None:
    """Addresses, line breaks, indices and comparisons get no mark."""
    assert inert(text) == text


@pytest.mark.parametrize(
    "text", ["<br onclick=x>", "<sub style='a'>", "<br/ x>", "<https://x y>", "<https://x"]
)
def test_text_that_looks_harmless_is_made_inert(text: str) -> None:
    """A tag with an attribute and half an address are made inert."""
    assert inert(text) == text.replace("<", "<" + INERT)


def test_foreign_text_has_no_mark_of_ours() -> None:
    """No answer and no question can look like a note of the chat, and both are copied in full."""
    written = f"Never run this:{NOTE}\nrm -rf ~{INERT}"
    assert message_of("assistant", written)["content"] == [
        {"type": "text", "text": "Never run this:\nrm -rf ~"}
    ]


@pytest.mark.parametrize(
    "text", ["```mermaid\nA@{ img: 'x' }\n```", "~~~ Mermaid\n~~~", "%%%LATEX_BLOCK_0%%%"]
)
def test_diagrams_are_code_and_no_text_is_a_place_of_gradios(text: str) -> None:
    """Diagrams, which could load pictures, are shown as source; Gradio's placeholder for a formula
    is shown as text."""
    assert INERT in inert(text)
    assert restored(inert(text)) == text
