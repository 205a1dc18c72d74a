"""Sources and searches within an answer: as they are kept, drawn, sent to Claude and exported."""

import re
from html import unescape
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streamchat.events import Citation, Done, Failed, Found, FoundPage, Notice, Search, Text
from streamchat.saved.markup import drawn as shared
from streamchat.ui.attached import said
from streamchat.ui.cited import linked, spoken
from streamchat.ui.composing import MOST_MARKS, TOGETHER, Composing
from streamchat.ui.notes import message_of
from streamchat.ui.transcript import conversation, drawn
from tests.test_transcript import Reader

NILE = Citation(1, "https://nile.example/a", "The Nile")
AMAZON = Citation(2, "https://amazon.example/b", "The Amazon")
PAGE = Citation(3, "", "notes.pdf", "Words.", 0, "page", 3, 3)
PASSAGE = Citation(3, "", "notes.pdf", "As I went out.", 0, "characters", 10, 24)
FOUND = Found(1, (FoundPage("https://nile.example/a", "The Nile", "2 days ago"),))
HOSTILE = '"><img src=x onerror=alert(1)> [a](javascript:alert(1)) $$x$$ \\(y\\) `|`'


def answer(*events: Any, begun: str = "", is_whole: bool = True) -> str:
    """The kept text of an answer of these events."""
    composing = Composing(begun)
    for event in events:
        match event:
            case str():
                composing.say(event)
            case Search():
                composing.look(event)
            case Found():
                composing.find(event)
            case Citation():
                composing.cite(event)
    return composing.text(is_whole=is_whole)


def page(text: str) -> list[str]:
    """The pieces of the answer as the page gets them."""
    message = {"role": "assistant", "content": [{"type": "text", "text": text}], "metadata": None}
    return [part["text"] for part in drawn(message)["content"]]


def links(html: str) -> list[str]:
    return [unescape(found) for found in re.findall(r'href="([^"]*)"', html)]


def test_a_number_stands_behind_the_words_that_its_source_supports() -> None:
    """Before a space and inside a table's cell; the same source has the same number, and once at
    one place."""
    text = answer("It is long. \n\n", NILE, NILE, AMAZON, "| a | b |\n", NILE)
    words, sources = page(text)
    shown = re.sub(r'<a class="sc-cite"[^>]*>&#91;(\d)&#93;</a>', r"(\1)", words)
    assert shown == "It is long.(1)(2) \n\n| a | b(1) |"
    assert links(sources) == [NILE.url, AMAZON.url]


def test_a_search_is_a_line_where_it_happened() -> None:
    """While it runs, when it has found pages, when it has failed, and when nothing came of it."""
    search = Search(1, "nile")
    assert "Searching for" in page(answer("So.", search, is_whole=False))[1]
    before, line, after = page(answer("So.", search, FOUND, "\n\nYes."))
    assert (before, after) == ("So.", "Yes.")
    assert unescape(line).startswith('<details class="sc-search"><summary>Searched for “nile” · 1')
    assert links(line) == [NILE.url]
    failed = page(answer(search, Found(1, failure="search_unavailable"), "Yes."))
    assert "not available" in failed[0]
    assert failed[1] == "Yes."
    assert "ended before" in page(answer(search))[0]


def test_a_growing_answer_has_numbers_and_its_end_has_the_list() -> None:
    """Nothing moves below the words while they are written; more than a few sources open."""
    growing = page(answer("It.", NILE, is_whole=False))
    assert len(growing) == 1
    assert links(growing[0]) == [NILE.url]
    many = [Citation(number, f"https://{number}.example", "") for number in range(1, 5)]
    assert page(answer("It.", *many))[-1].startswith('<details class="sc-sources">')
    assert page(answer("It.", NILE))[-1].startswith('<div class="sc-sources">')


def test_a_file_is_named_with_its_page_or_passage_and_without_a_link() -> None:
    """The list has all places of one file."""
    words, sources = map(unescape, page(answer("It.", PAGE, " And.", PASSAGE)))
    assert 'title="notes.pdf, page 3"' in words
    assert links(words + sources) == []
    assert "notes.pdf <small>page 3; “As I went out.”</small>" in sources


def test_claude_gets_its_own_words_and_the_sources_once_they_are_answered() -> None:
    """Neither marks nor searches; an answer that goes on ends with its own last word."""
    kept = message_of("assistant", "") | {
        "content": [{"type": "text", "text": answer("It", Search(1, "q"), FOUND, "is", NILE)}]
    }
    history = [message_of("user", "?"), kept]
    assert [each.text for each in conversation(history)] == ["?", "It\n\nis"]
    assert said(history)[-1].text == "It\n\nis"
    sent = said([*history, message_of("user", "Why?")])[1].text
    assert sent == f"It\n\nis\n\n[Sources shown with this answer: 1. The Nile, {NILE.url}]"


def test_an_exported_answer_has_ordinary_links_and_a_list() -> None:
    """Markdown of anybody's; no mark is left."""
    text = linked(answer("It (is).", NILE, Citation(2, "https://a.example/(b)", "[x](y)"), PAGE))
    assert text == (
        f"It (is).[[1]]({NILE.url})[[2]](https://a.example/%28b%29)[3]\n\n"
        f"1. [The Nile]({NILE.url})\n"
        "2. [&#91;x&#93;&#40;y&#41;](https://a.example/%28b%29)\n"
        "3. notes&#46;pdf"
    )


def test_an_answer_that_goes_on_keeps_its_sources_and_counts_on() -> None:
    """The continuation begins with the number after the last, but knows sources again."""
    begun = answer("It", AMAZON)
    text = answer(" is", Citation(1, "https://new.example", "New"), AMAZON, begun=begun)
    assert linked(text).startswith(
        f"It[[2]]({AMAZON.url}) is[[3]](https://new.example)[[2]]({AMAZON.url})\n\n"
    )
    assert spoken(text) == "It is"


def test_no_foreign_word_can_be_markup_of_the_page() -> None:
    """Titles, queries, addresses and names of files are text, on the page and on a shared one."""
    hostile = Citation(1, "https://a.example/" + HOSTILE, HOSTILE)
    odd = Citation(2, "javascript:alert(1)", HOSTILE)
    file = Citation(3, "", HOSTILE, HOSTILE, 0, "characters")
    found = Found(1, (FoundPage("javascript:alert(1)", HOSTILE, HOSTILE),))
    text = answer("So.", Search(1, HOSTILE), found, "It.", hostile, odd, file)
    for html in ("".join(page(text)), "".join(shared(text))):
        tags = set(re.findall(r"<(\w+)", html))
        assert tags <= {"a", "span", "details", "summary", "div", "p", "ul", "ol", "li", "small"}
        assert {address.partition(":")[0] for address in links(html)} == {"https"}
        assert not re.search(r"onerror=(?![^<]*&#)|\$\$|\\\(", html)


def test_an_answer_cannot_imitate_a_mark() -> None:
    """Its own marks, HTML and entities stay words; in code a mark of the page is gone."""
    forged = '\u2064\u20620\u2062 <a class="sc-cite" href="https://x.example">1</a> `code'
    text = answer(forged, NILE, "`")
    (words, *_) = page(text)
    assert words.count('<a class="sc-cite"') == 0
    assert "\u2062" not in words
    html = "".join(shared(text))
    assert html.count('class="sc-cite"') == 0
    assert "\u2062" not in html


def test_ten_thousand_citations_are_bounded() -> None:
    """A place has few, and an answer a few hundred; the words are all there."""
    crowd = [Citation(number, f"https://{number}.example", "") for number in range(1, 10_000)]
    assert page(answer("It.", *crowd))[0].count("<a ") == TOGETHER
    pairs = [part for one in crowd for part in (" word", one)]
    text = answer(*pairs)
    assert "".join(page(text)[:-1]).count("<a ") == MOST_MARKS
    assert spoken(text).count("word") == len(crowd)


@given(st.lists(st.text() | st.sampled_from([NILE, AMAZON, PAGE, Search(1, HOSTILE), FOUND])))
def test_whatever_comes_the_words_stay(events: list[Any]) -> None:
    """Claude's words go back to it as they were, but for spaces, wherever searches and sources
    stand."""
    words = "".join(event for event in events if isinstance(event, str))
    plain = re.sub("[\u2062-\u2064]", "", words)
    assert "".join(spoken(answer(*events)).split()) == "".join(plain.split())


async def test_a_reply_with_searches_is_one_message_of_its_reader() -> None:
    """Also one that only searched, which is not shown as an answer without a word to Claude."""
    reader = Reader()
    (growing,) = await reader.sees(Search(1, "q"))
    assert "Searching" in drawn(growing)["content"][0]["text"]
    shown = await reader.sees(FOUND, Text("It."), NILE, Done("end_turn"))
    assert [spoken(str(each["content"][0]["text"])) for each in shown] == ["It."]
    other = Reader()
    silent = await other.sees(Search(1, "q"), Failed("broken_off", 502))
    assert conversation(silent) == []


async def test_a_pause_is_told_until_words_follow() -> None:
    """Also in the middle of an answer."""
    reader = Reader()
    shown = await reader.sees(Text("It."), Notice("claude_paused", passing=True))
    assert len(shown) == 2
    assert len(await reader.sees(Text(" Is."))) == 1
