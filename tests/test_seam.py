import re
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from streamchat.sources.claude.seam import Seam
from streamchat.sources.demo import source as demo

# characters of a long answer that are tried; its other rows are like these
ENOUGH = 1_200
ANSWERS = {
    path.stem: path.read_text("utf-8")[:ENOUGH]
    for path in (Path(demo.__file__).parent / "answers").glob("*.md")
}
PROSE = ["login", "rivers", "sky_thinking", "unfinished", "wait"]
ROWS = {
    "short": "| 0 | 0 |\n",
    "as long as an anchor": "| " + " | ".join(map(str, range(1_000, 1_025))) + " | x |\n",
}

REPETITIVE = {
    "laughter": "He laughs: ha ha ha ha ha! Ha ha, hahahaha, hohohoho.",
    "table": "| a | b |\n|---|---|\n" + "| 0 | 0 |\n" * 30 + "| 1 | 1 |\n",
    "words in a table": "| yes | yes |\n" * 5 + "| no | no | no | no |\n" * 5,
    "refrain": (
        "Frère Jacques, Frère Jacques,\nDormez-vous? Dormez-vous?\nSonnez les matines! Sonnez les"
        " matines!\nDing, dang, dong. Ding, dang, dong."
    ),
    "verses": "A song:\n\n" + "If you're happy and you know it, clap your hands!\n" * 3,
    "list": "1. Wash\n2. Rinse\n3. Repeat\n" + "- one\n- one\n- two\n- two\n" * 4,
    "code": (
        "```python\n"
        + "    pass\n    pass\n\n    try:\n        next(it)\n        next(it)\n" * 4
        + "```\n"
    ),
    "zeros": "0 0 0 0 00 00 000000 0,0,0,0 [0, 0, 0, 0], [0, 0, 0, 0]",
    "CSV": "red,red,blue\nred,red,red\nJohn Smith,John Smith,9\n0,0,0\n",
    "Markdown": (
        "## A\n\n#### B\n\n****\n\n----------------------------------------\n\n> > a\n> >"
        " b\n\n``````"
    ),
    "roman": "Henry II, III and VIII; a 5 mm screw, AA batteries, an aardvark in 2020 and 1919",
    "no spaces": "谢谢谢谢你，慢慢慢慢来。哈哈哈哈" + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
}


def joined(partial: str, continuation: str, *sizes: int) -> str:
    """The partial and the shown continuation, which comes in pieces of these sizes."""
    seam = Seam(partial)
    return partial + "".join(map(seam.feed, pieces(continuation, *sizes))) + seam.end()


def pieces(text: str, *sizes: int) -> Iterator[str]:
    at, size = 0, cycle(sizes or (1,))
    while at < len(text):
        yield text[at : (at := at + next(size))]


def cuts(text: str) -> Iterator[tuple[str, str]]:
    """The text cut in two at every character, or a long one around every word. The second part is a
    little longer than a seam can hold back."""
    for at in range(1, len(text)):
        if len(text) < 1_000 or text[at - 1].isspace() != text[at].isspace():
            yield text[:at], text[at : at + 300]


def after_words(text: str) -> Iterator[tuple[str, str]]:
    return (
        (before, after)
        for before, after in cuts(text)
        if not before[-1].isspace() and after[0].isspace()
    )


def plain(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("name", ANSWERS)
def test_an_exact_continuation_joins_exactly_wherever_the_text_was_cut(name: str) -> None:
    """Cuts within and between words, in prose, tables, code and all scripts, leave no trace."""
    for size, (before, after) in enumerate(cuts(ANSWERS[name])):
        assert joined(before, after, size % 11 + 1) == before + after


@pytest.mark.parametrize("name", ANSWERS)
def test_the_words_that_were_asked_for_are_not_there_twice(name: str) -> None:
    """A continuation that begins with the anchor joins exactly at every cut."""
    for size, (before, after) in enumerate(cuts(ANSWERS[name])):
        if len(plain(before)) >= 20:
            repeated = before[before.rindex(Seam(before).anchor) :]
            assert joined(before, repeated + after, size % 50 + 1) == before + after


@pytest.mark.parametrize("name", ANSWERS)
def test_a_repetition_may_have_other_whitespace(name: str) -> None:
    """The seam keeps the whitespace of the text, whatever whitespace the repetition has."""
    for (before, after), space in zip(after_words(ANSWERS[name]), cycle(["\n\n", " "])):
        if len(plain(before)) >= 20:
            repeated = space + plain(Seam(before).anchor)
            assert joined(before, repeated + after, 40) == before + after


@pytest.mark.parametrize("name", PROSE)
@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_the_last_words_are_not_there_twice(name: str, count: int) -> None:
    """A continuation that repeats fewer words than the anchor joins exactly, if these have two
    letters."""
    for before, after in after_words(ANSWERS[name]):
        repeated = re.findall(r"\S+\s*", before)[-count:]
        if (
            re.match(r"[^\W\d_]", repeated[0])
            and len(re.findall(r"[^\W\d_]", "".join(repeated))) > 1
        ):
            assert joined(before, "".join(repeated) + after, 9) == before + after


@pytest.mark.parametrize("name", ["login", "rivers", "sky_thinking"])
def test_the_last_sentence_is_not_there_twice(name: str) -> None:
    """A continuation that repeats the interrupted sentence joins exactly."""
    for before, after in after_words(ANSWERS[name]):
        sentence = re.split(r"(?<=[.!?]) |\n+", before[:-1])[-1] + before[-1]
        if 10 < len(sentence) <= len(Seam(before).anchor) and sentence[0].isalpha():
            assert joined(before, sentence + after, 9) == before + after


@pytest.mark.parametrize(
    ("partial", "continuation", "whole"),
    [
        ("So the quick bro", "the quick brown fox", "So the quick brown fox"),
        ("So the quick", "quick brown fox", "So the quick brown fox"),
        ("So it works.", "works. Now we rest.", "So it works. Now we rest."),
        ("So it works.\n\n", "So it works.\n\nNow", "So it works.\n\nSo it works.\n\nNow"),
        (
            "It really, truly works.\n\n",
            "It really, truly works.\n\nNow",
            "It really, truly works.\n\nNow",
        ),
        (
            "It really, truly works.\n\n",
            "It really, truly works. Now",
            "It really, truly works.\n\n Now",
        ),
        (
            "It really, truly works. ",
            "It really, truly works.\n\nNow",
            "It really, truly works. \n\nNow",
        ),
        ("It really, truly works", "It really, truly works", "It really, truly works"),
        ("The **bold** mo", "**bold** move", "The **bold** mo**bold** move"),
        ("The **bold** mo", "The **bold** move", "The **bold** move"),
        ("> the cat and the", "the cat and the dog", "> the cat and the dog"),
        ("To do:\n- [x] Ask a", "- [x] Ask a question", "To do:\n- [x] Ask a question"),
        ("| Nile | 6,650 |", "| Nile | 6,650 |\n| Rhine", "| Nile | 6,650 |\n| Rhine"),
        ("**Half", "**Half of it**", "**Half of it**"),
        ("# The", "# The end", "# The end"),
        ("Ha", "Ha", "Ha"),
        ("", "Hello", "Hello"),
        ("\n\n", "\n\nHello", "\n\n\n\nHello"),
    ],
)
def test_examples_of_seams(partial: str, continuation: str, whole: str) -> None:
    """Short examples of text that is dropped as a repetition, and of text that is not."""
    assert joined(partial, continuation) == whole


@pytest.mark.parametrize("name", REPETITIVE)
def test_a_repetitive_text_loses_nothing(name: str) -> None:
    """An exact continuation is kept even if it begins like the words before it."""
    for size, (before, after) in enumerate(cuts(REPETITIVE[name])):
        assert joined(before, after, size % 11 + 1) == before + after


WORDS = [
    "ha ",
    "la la\n",
    "Row, row. ",
    "| 0 ",
    "| x ",
    "|\n",
    "- a\n",
    "  pass\n",
    "}\n",
    "0",
    "#",
    "a ",
    ", ",
    "谢",
    " ",
]


def says_it_again(before: str, after: str) -> bool:
    """Whether the text itself repeats the whole anchor, or its last words without a space before
    them."""
    words = plain(before)
    endings = [words[word.start() :] for word in re.finditer(r"(?<!\S)\S|\b\w", words)]
    stuck = not before[-1].isspace() and not after[0].isspace()
    again = (
        [ending for ending in endings if len(re.findall("[a-zA-Z]", ending)) > 1] if stuck else []
    )
    return plain(after).startswith((plain(Seam(before).anchor), *again))


@given(st.lists(st.sampled_from(WORDS), min_size=2).map("".join), st.data())
def test_a_text_of_few_words_loses_nothing(text: str, data: st.DataObject) -> None:
    """An exact continuation is kept, except in the two cases that cannot be told from a
    repetition."""
    at = data.draw(st.integers(1, len(text) - 1))
    sizes = data.draw(st.lists(st.integers(1, 30), min_size=1))
    before, after = text[:at], text[at:]
    assume(not says_it_again(before, after))
    assert joined(before, after, *sizes) == text


@pytest.mark.parametrize("row", ROWS)
def test_equal_rows_can_be_taken_up_again(row: str) -> None:
    """Among equal rows the anchor is chosen so that a repetition differs from the next row."""
    for before, after in cuts(ROWS[row] * (1_000 // len(ROWS[row]))):
        anchor = Seam(before).anchor
        if 400 < len(before) < 700:
            repeated = before[len(before.rstrip()) - len(anchor) :]
            assert joined(before, after, 7) == before + after
            assert joined(before, repeated + after, 7) == before + after


@given(st.sampled_from(sorted(ANSWERS)), st.data())
def test_the_size_of_the_pieces_does_not_matter(name: str, data: st.DataObject) -> None:
    """The shown text is the same for any split of the continuation."""
    at = data.draw(st.integers(1, len(ANSWERS[name]) - 1))
    before, after = ANSWERS[name][:at], ANSWERS[name][at:]
    begin = data.draw(st.integers(max(0, at - 250), at))
    continuation = before[begin:] + after
    sizes = data.draw(st.lists(st.integers(1, 300), min_size=1))
    assert joined(before, continuation, *sizes) == joined(before, continuation, len(continuation))


@given(st.text("ab \n", max_size=400), st.text("ab \n", max_size=600))
def test_no_more_is_held_back_than_the_anchor_and_some_whitespace(
    partial: str, continuation: str
) -> None:
    """A reader is never further behind than that, and the shown text ends like the received one."""
    seam = Seam(partial)
    shown = ""
    for at, sign in enumerate(continuation, 1):
        shown += seam.feed(sign)
        assert shown == "" or continuation[:at].endswith(shown)
        assert (
            shown or at <= len(seam.anchor) + 20 or continuation[:at].split() == seam.anchor.split()
        )
    assert continuation.endswith(shown + seam.end())


def test_other_text_is_shown_at_once() -> None:
    """An exact continuation is not held back."""
    seam = Seam("The quick brown fox")
    assert [seam.feed(" jumps"), seam.feed(" over")] == [" jumps", " over"]
    assert Seam("The quick brown fox jumps").feed(" " * 50) == " " * 50


@pytest.mark.parametrize("name", ANSWERS)
def test_the_anchor_is_the_last_words_exactly(name: str) -> None:
    """The anchor ends where the text ends, has at most 200 characters, and begins with a whole
    word."""
    for before, _ in cuts(ANSWERS[name]):
        anchor = Seam(before).anchor
        assert before.rstrip().endswith(anchor)
        assert len(anchor) <= 200
        assert re.search(r"(^|\s)$", before.rstrip().removesuffix(anchor))


def test_words_without_end_are_cut() -> None:
    """A text without spaces has an anchor, too."""
    text = "".join(map(chr, range(0x4E00, 0x5000)))
    assert Seam(text).anchor == text[-180:]
    assert joined(text, text[-180:] + "好") == text + "好"
