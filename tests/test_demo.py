import re
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from streamchat.errors import BrokenOff, Busy, ChatError
from streamchat.events import (
    Citation,
    Done,
    Event,
    Found,
    Message,
    Notice,
    Request,
    Search,
    Text,
    Thinking,
    Usage,
)
from streamchat.examples import USUAL
from streamchat.sources.demo.prepared import EXAMPLES, STATES
from streamchat.sources.demo.source import Demo

TOUR = "Show me everything Markdown can do"
THINK = "Think it through: why is the sky blue?"
SEARCH = "Search the web for the longest river"
ESSAY = "Write me 2,000 words about rivers"
CUT_SHORT = [
    "Stop in the middle of a sentence",
    "Refuse to answer this",
    "Fail in the middle",
    "Fail before the first word",
]


@dataclass
class Heard:
    """The events of a reply, each with the second at which it came, and the error that ended it."""

    timeline: list[tuple[float, Event]] = field(default_factory=list)
    error: ChatError | None = None

    @property
    def events(self) -> list[Event]:
        return [event for _, event in self.timeline]

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Text))

    @property
    def thinking(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Thinking))

    @property
    def reason(self) -> str:
        (done,) = [event for event in self.events if isinstance(event, Done)]
        assert self.events[-1] is done
        return done.reason

    @property
    def outcome(self) -> tuple[str, str, str]:
        return self.thinking, self.text, self.reason if self.error is None else self.error.code

    def seconds(self, kind: type[Event]) -> tuple[float, float]:
        """The seconds of the first and the last event of a kind."""
        seconds = [second for second, event in self.timeline if isinstance(event, kind)]
        return seconds[0], seconds[-1]


async def ask(*turns: str, by_owner: bool = True, takes_keys: bool = False) -> Heard:
    """Asks the demo on a clock that moves only when the demo sleeps; the turns alternate, the
    user's first."""
    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    heard = Heard()
    conversation = tuple(
        Message("user" if number % 2 == 0 else "assistant", text)
        for number, text in enumerate(turns)
    )
    try:
        request = Request(conversation, by_owner=by_owner)
        async for event in Demo(takes_keys=takes_keys, sleep=sleep).stream(request):
            heard.timeline.append((now, event))
    except ChatError as error:
        heard.error = error
    return heard


def drawn(markdown: str) -> list[Token]:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)


def kinds(tokens: list[Token]) -> set[str]:
    return {token.type for token in tokens} | {
        child.type for token in tokens for child in token.children or []
    }


async def test_the_tour_shows_every_kind_of_formatting() -> None:
    """The tour has headings, lists, a table, code, quotations, a link, a rule, formulas and
    scripts."""
    text = (await ask(TOUR)).text
    wanted = [
        "heading",
        "ordered_list",
        "bullet_list",
        "table",
        "blockquote",
        "link",
        "strong",
        "em",
        "s",
    ]
    assert {f"{kind}_open" for kind in wanted} | {"fence", "hr", "code_inline"} <= kinds(
        drawn(text)
    )
    for sign in (
        "- [x] ",
        "- [ ] ",
        "  - ",
        "|:--",
        "--:|",
        ":|\n",
        "🌍",
        "مرحبًا",
        "中文",
        "日本語",
        "한국어",
    ):
        assert sign in text
    assert re.search(r"\\\(.+\\\)", text)
    assert re.search(r"^\$\$\n.+\n\$\$$", text, re.MULTILINE)


async def test_code_keeps_its_tabs_and_its_indentation() -> None:
    """The tour's Makefile has tabs, and the Python beside it compiles."""
    fences = {
        token.info: token.content
        for token in drawn((await ask(TOUR)).text)
        if token.type == "fence"
    }
    assert "\n\t.venv/bin/python app.py\n" in fences["makefile"]
    assert "\n        n = " in fences["python"]
    compile(fences["python"], "tour", "exec")


async def test_thinking_comes_before_the_answer() -> None:
    """The example about thinking shows about three seconds of thoughts before its answer."""
    heard = await ask(THINK)
    first, last = heard.seconds(Thinking)
    assert 2.5 < last - first < 4.5
    assert last < heard.seconds(Text)[0]
    assert "fourth power" in heard.thinking
    assert "Rayleigh" in heard.text


async def test_the_same_question_without_thinking_is_answered_at_once() -> None:
    """ "Why is the sky blue?" alone gets the same answer without the thoughts."""
    heard = await ask("Why is the sky blue?")
    assert not heard.thinking
    assert heard.text == (await ask(THINK)).text


async def test_any_question_can_be_thought_through() -> None:
    """An unknown question with a request to think gets thoughts, and an answer that quotes it."""
    heard = await ask("Think it through: why do cats purr?")
    assert heard.thinking
    assert "> Think it through: why do cats purr?" in heard.text


async def test_the_essay_has_its_two_thousand_words() -> None:
    """The essay has 2,000 to 2,200 words under headings, and repeats no sentence."""
    text = (await ask(ESSAY)).text
    sentences = re.split(r"(?<=[.?!])\s+", text)
    assert 2000 <= len(text.split()) <= 2200
    assert text.count("\n## ") >= 5
    assert len(set(sentences)) == len(sentences)


async def test_waiting_is_eight_seconds_without_a_word() -> None:
    """The slow example is silent for eight seconds before it answers."""
    heard = await ask("Take your time before you answer")
    assert heard.seconds(Text)[0] == 8
    assert heard.reason == "end_turn"


async def test_being_busy_is_announced_each_time_and_passes() -> None:
    """The busy example shows two passing notices three seconds apart, and then an answer."""
    heard = await ask("Be busy at first")
    notices = [(second, event) for second, event in heard.timeline if isinstance(event, Notice)]
    assert notices == [
        (0, Notice("demo_busy", {"seconds": 3, "attempt": 1, "attempts": 2}, passing=True)),
        (3, Notice("demo_busy", {"seconds": 3, "attempt": 2, "attempts": 2}, passing=True)),
    ]
    assert heard.seconds(Text)[0] > 6
    assert heard.reason == "end_turn"


async def test_a_refusal_comes_after_a_few_words() -> None:
    """A refusal may follow some text, and ends with Claude's stop reason."""
    heard = await ask("Refuse to answer this")
    assert heard.reason == "refusal"
    assert heard.text.endswith("the first thing to say about it is")


async def test_an_answer_at_its_greatest_length_ends_mid_sentence() -> None:
    """The longest answer ends in the middle of a sentence, with the stop reason `max_tokens`."""
    heard = await ask("Stop in the middle of a sentence")
    assert heard.reason == "max_tokens"
    assert heard.text.endswith("the text simply stops in the")


async def test_a_failure_before_the_first_word_leaves_nothing_written() -> None:
    """A failure at once has no text and no end event, and says when to try again."""
    heard = await ask("Fail before the first word")
    assert isinstance(heard.error, Busy)
    assert heard.error.retry_after == 20
    assert [type(event) for event in heard.events if not isinstance(event, Usage)] == []


async def test_a_failure_in_the_middle_comes_after_some_text() -> None:
    """A connection that breaks off leaves half an answer and no end event."""
    heard = await ask("Fail in the middle")
    assert isinstance(heard.error, BrokenOff)
    assert heard.text.endswith("Then he typed the G,")
    assert not any(isinstance(event, Done) for event in heard.events)


async def test_an_answer_may_be_empty() -> None:
    """The empty example ends normally without a word."""
    heard = await ask("Say nothing at all")
    assert (heard.text, heard.reason) == ("", "end_turn")


@pytest.mark.parametrize("message", STATES)
async def test_examples_work_in_any_spelling(message: str) -> None:
    """Capitals, spaces, missing punctuation and a "please" make no difference."""
    heard = await ask(message)
    for spelling in (
        message.upper(),
        f"  {message.lower()} !\n",
        f"“{message}”.",
        f"Please {message}",
        f"{message}…",
    ):
        assert (await ask(spelling)).outcome == heard.outcome


@pytest.mark.parametrize(
    ("variation", "message"),
    [
        ("What can Markdown do?", TOUR),
        ("Could you show me all that Markdown can do, please?", TOUR),
        ("Think this over: why the sky is blue", THINK),
        ("write 2000 words on rivers", ESSAY),
        ("Two thousand words about the river", ESSAY),
        ("Write me a long essay about rivers", ESSAY),
        ("Take your time.", "Take your time before you answer"),
        ("Take all the time you need before answering", "Take your time before you answer"),
        ("Can you be busy?", "Be busy at first"),
        ("Stop mid-sentence", "Stop in the middle of a sentence"),
        ("Fail halfway through the answer", "Fail in the middle"),
        ("Fail immediately", "Fail before the first word"),
        ("Say nothing", "Say nothing at all"),
    ],
)
async def test_examples_can_be_said_in_other_words(variation: str, message: str) -> None:
    """The examples need not be copied letter by letter."""
    assert (await ask(variation)).outcome == (await ask(message)).outcome


@pytest.mark.parametrize(
    "message",
    [
        "I failed in the middle of my exam, what now?",
        "Don't take your time, I am in a hurry",
        "My landlord refuses to answer my letters",
        "Should I say nothing at all to him about it?",
        "Why do rivers stop in the middle of the desert?",
        "How busy is the market at first light?",
        "Write me 2,000 words about bridges",
        "Is Markdown good for tables?",
        "Help my brother write a letter",
        "Hello Kitty is a cartoon, isn't she?",
    ],
)
async def test_ordinary_talk_is_never_taken_for_an_example(message: str) -> None:
    """A message that only sounds like an example gets the usual answer."""
    heard = await ask(message)
    assert f"> {message}" in heard.text
    assert heard.reason == "end_turn"
    assert heard.seconds(Text)[0] < 1


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("hi", "Hello!"),
        ("Good morning!", "Hello!"),
        ("How are you?", "Very well"),
        ("Thank you so much!", "very welcome"),
        ("bye", "Goodbye"),
        ("Can you help me?", "everything that may happen"),
        ("What can you do?", "everything that may happen"),
        ("What is this?", "**StreamChat**"),
        ("Are you Claude?", "not talking with Claude"),
        ("How does this app work?", "**StreamChat**"),
        ("How do I connect Claude?", "ANTHROPIC_API_KEY"),
        ("How can I talk to the real Claude?", "ANTHROPIC_API_KEY"),
        ("Where do I put my ANTHROPIC_API_KEY?", "`.env`"),
    ],
)
async def test_small_talk_gets_a_fitting_answer(message: str, expected: str) -> None:
    """Greetings, thanks and questions about this chat are answered as such."""
    text = (await ask(message)).text
    assert expected in text
    assert "> " not in text


async def test_help_lists_every_state() -> None:
    """The help names every message that the demo knows, and what it shows."""
    text = (await ask("help")).text
    assert all(f"| {message} | {shows} |" in text for message, shows in STATES.items())


@pytest.mark.parametrize("example", USUAL)
async def test_the_demo_answers_what_the_page_offers(example: str) -> None:
    """Each usual example has an answer of its own, not one that describes the question."""
    heard = await ask(example)
    assert heard.reason == "end_turn"
    assert len(heard.text) > 500
    assert "only the demo" not in heard.text


def test_the_examples_are_among_the_states() -> None:
    """The demo suggests a handful of the messages that it knows."""
    assert len(EXAMPLES) == 5
    assert {TOUR, THINK, SEARCH, ESSAY, "Fail in the middle"} == set(EXAMPLES)
    assert set(EXAMPLES) < set(STATES)


async def test_every_state_is_a_different_one() -> None:
    """No two of the offered messages show the same."""
    assert len({(await ask(message)).outcome for message in STATES}) == len(STATES)


async def test_any_other_message_is_quoted_and_described() -> None:
    """The answer quotes the message, describes it, and says how Claude would answer."""
    text = (await ask("What is the longest word in this extraordinary question?")).text
    assert text.startswith("That is a question")
    assert "\n> What is the longest word in this extraordinary question?\n" in text
    assert "It has 9 words and 56 characters. The longest word is “extraordinary”." in text
    assert "the demo" in text
    assert "`ANTHROPIC_API_KEY=`" in text


ABOUT_KEYS = [
    "How do I connect Claude?",
    "Where do I put my ANTHROPIC_API_KEY?",
    "Where is Ulm?",
    "I was in Ulm.",
]


@pytest.mark.parametrize("takes_keys", [True, False])
@pytest.mark.parametrize(
    "message", [*STATES, *ABOUT_KEYS, "What is this?", "thanks", "bye", "hi", "how are you"]
)
async def test_visitors_are_not_told_how_to_set_up_somebody_elses_server(
    message: str, takes_keys: bool
) -> None:
    """Visitors do not read of the server's files and variables, which are the owner's; they may
    have a key of their own."""
    text = (await ask(message, by_owner=False, takes_keys=takes_keys)).text
    assert not [
        word for word in (".env", "ANTHROPIC_API_KEY=", "Variables and secrets") if word in text
    ]


@pytest.mark.parametrize("message", ABOUT_KEYS)
async def test_visitors_are_told_of_their_own_key_where_one_is_taken(message: str) -> None:
    """If visitors may bring a key, the demo says so; otherwise it does not mention one."""
    assert "**Your own API key**" in (await ask(message, by_owner=False, takes_keys=True)).text
    assert "own API key" not in (await ask(message, by_owner=False)).text


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("tea", "It has 1 word and 3 characters."),
        ("x", "It has 1 word and 1 character."),
        ("…?!", "It has 0 words and 3 characters."),
        ("今天天气很好", "It has 6 characters, and does not need spaces"),
        ("for (;;) {\n  go();\n}", "That looks like code"),
        ("def add(a, b): return a + b", "That looks like code"),
        ("class A:\n\n    def add(a, b):\n        return a + b", "That looks like code"),
        ("a" + "\n" * 300_000 + "b", "It has 2 words and 300,002 characters."),
        ("Wo liegt Ulm?", "That is a question"),
        ("Ich war in Ulm.", "Thank you, I have read"),
    ],
)
async def test_its_description_of_a_message_is_true(message: str, expected: str) -> None:
    """One word is not "1 words", Chinese is not one long word, and code is recognised as code."""
    assert expected in (await ask(message)).text


async def test_it_remembers_the_conversation() -> None:
    """From the second turn on the answer has the number of the turn and the question before."""
    assert "turn" not in (await ask("My cat is called Miez")).text
    text = (
        await ask("My cat is called Miez", "Nice!", "And my dog?", "Bello!", "Which one is older?")
    ).text
    assert "This is turn 3 of our conversation; before it you wrote “And my dog?”." in text


@pytest.mark.parametrize(
    "unanswered", ["Say nothing at all", "Fail before the first word", "Be busy at first"]
)
async def test_a_message_that_got_no_answer_does_not_hide_the_next(unanswered: str) -> None:
    """An unanswered message is sent as a paragraph before the next one, which is still
    recognised."""
    assert (await ask(f"{unanswered}\n\nhi")).text == (await ask("hi")).text
    assert "> Where is Ulm?" in (await ask(f"{unanswered}\n\n{unanswered}\n\nWhere is Ulm?")).text


async def test_a_long_message_is_quoted_in_part() -> None:
    """A novel is not sent back whole."""
    text = (await ask("word " * 5000)).text
    assert len(text) < 1500
    assert "5,000 words" in text
    assert re.search(r"^> .{270,281}…$", text, re.MULTILINE)


signs = st.text(st.sampled_from("\\`*_{}[]()<>#+-.!|~$&=:;'\"/@% \n\r\t\u2028ab1")) | st.text()


@given(signs)
async def test_a_quotation_shows_what_was_typed_and_nothing_else(typed: str) -> None:
    """Any message is quoted as one line of plain text that reads the same, and changes nothing
    around it."""
    message = f"{typed} xyzzy"
    tokens = drawn((await ask(message)).text)
    quotation = next(token for token in tokens if token.type == "inline" and token.level == 2)
    shown = "".join(child.content for child in quotation.children or [])
    read = " ".join(message.split()).replace("\0", "\ufffd")
    assert kinds([quotation]) == {"inline", "text"}
    assert shown == read if len(read) <= 280 else shown[:-1] == read[:280].rstrip()
    assert [token.type for token in tokens if token.level == 0] == [
        *("paragraph_open", "paragraph_close"),
        *("blockquote_open", "blockquote_close"),
        *("paragraph_open", "paragraph_close") * 3,
    ]


@given(signs, signs)
async def test_words_repeated_inside_a_sentence_are_plain_text_too(before: str, typed: str) -> None:
    """The longest word and the earlier message are quoted as plain text, never as formatting, HTML
    or a formula."""
    text = (await ask(f"{before} xyzzy", "Well.", f"{typed} xyzzy")).text
    facts = [token for token in drawn(text) if token.type == "inline"][2]
    assert kinds([facts]) == {"inline", "text"}
    assert not set(text) & set("$\\")


@given(st.text())
async def test_any_text_gets_an_answer_with_one_end(typed: str) -> None:
    """Any message gets an answer and one end event."""
    heard = await ask(typed)
    assert heard.text
    assert heard.reason == "end_turn"


@pytest.mark.parametrize("message", [*STATES, "hi", "Is this\tkept \n\n  as it is?", "x" * 100])
async def test_the_same_message_always_gets_the_same_answer(message: str) -> None:
    """The same question gets the same words at the same seconds, so that its answer can be shared
    and resumed."""
    assert (await ask(message)).timeline == (await ask(message)).timeline


@pytest.mark.parametrize("message", [TOUR, THINK, ESSAY, "help", "Where is Ulm?"])
async def test_words_come_at_a_natural_pace(message: str) -> None:
    """Words come one by one, 20 to 120 a second, at varying distances."""
    heard = await ask(message)
    first, last = heard.seconds(Text)
    pauses = {
        second - before
        for (before, _), (second, _) in zip(heard.timeline, heard.timeline[1:], strict=False)
    }
    assert 20 < len(heard.text.split()) / (last - first) < 120
    assert len(pauses) > 5
    assert all(
        len(event.text.split()) <= 1 for event in heard.events if isinstance(event, Text | Thinking)
    )


async def test_the_first_word_comes_soon() -> None:
    """The first word is there after a third of a second, and the long answer is faster than a short
    one."""
    heard = await ask("Where is Ulm?")
    assert heard.seconds(Text)[0] == pytest.approx(0.3)
    long = await ask(ESSAY)
    assert (
        len(long.text.split()) / long.seconds(Done)[0]
        > 1.5 * len(heard.text.split()) / heard.seconds(Done)[0]
    )


async def test_usage_is_estimated_at_the_start_and_at_the_end() -> None:
    """Three words count as four tokens; the input is counted at the start, the output at the
    end."""
    heard = await ask("one two three")
    start, end = [event for event in heard.events if isinstance(event, Usage)]
    assert start == Usage(4)
    assert end == Usage(4, round(len(heard.text.split()) * 4 / 3))
    assert heard.events[0] == start
    assert heard.events[-2:] == [end, Done("end_turn", end)]


@pytest.mark.parametrize("message", CUT_SHORT)
async def test_an_answer_that_was_cut_short_can_be_continued(message: str) -> None:
    """The continuation begins with the very next character, and reaches the answer's end."""
    begun = (await ask(message)).text
    rest = await ask(message, begun)
    assert rest.text
    assert rest.error is None
    assert rest.reason == "end_turn"
    assert begun + rest.text == (await ask(message, "")).text
    assert "<!--" not in begun + rest.text


@pytest.mark.parametrize(
    "message", [TOUR, THINK, "Take your time before you answer", "Where is Ulm?"]
)
@given(part=st.floats(0, 1, exclude_max=True))
async def test_a_stopped_answer_can_be_continued_from_any_point(message: str, part: float) -> None:
    """The rest follows at once, without repeated thoughts or pauses."""
    whole = (await ask(message)).text
    begun = whole[: int(part * len(whole))]
    rest = await ask(message, begun)
    assert begun + rest.text == whole
    assert rest.seconds(Text)[0] < 1
    assert not rest.thinking


@pytest.mark.parametrize("begun", ["", " and more", "!"])
async def test_a_whole_answer_has_no_continuation(begun: str) -> None:
    """The demo says that there is nothing to add after the end, or after words that are not its
    own."""
    rest = await ask("hi", (await ask("hi")).text + begun)
    assert "nothing to add" in rest.text
    assert rest.reason == "end_turn"


async def test_opening_and_closing_it_takes_nothing() -> None:
    """The demo has a name for the start-up line, and needs neither a key nor a connection."""
    demo = Demo()
    await demo.open()
    await demo.close()
    assert demo.name == "The demo"


async def test_a_very_long_message_is_answered_without_a_look_at_all_of_it() -> None:
    """A very long message is measured and quoted in part, and its words are not counted."""
    book = "word " * 800_000
    text = (await ask(book, "and?", book)).text
    assert "It has 4,000,000 characters, which are too many for me to count its words." in text
    assert len(text) < 2_000


async def test_a_search_for_anything_has_invented_sources_and_says_so() -> None:
    """The words of a search are the visitor's, all pages are under names that belong to nobody, and
    citations name pages that were found."""
    heard = await ask("Could you search the web for <b>old bridges</b> --> in Ulm?")
    (search,) = [event for event in heard.events if isinstance(event, Search)]
    (found,) = [event for event in heard.events if isinstance(event, Found)]
    cited = {event.url for event in heard.events if isinstance(event, Citation)}
    assert search.query == "b old bridges b -- in Ulm"
    assert cited < {page.url for page in found.sources}
    assert all(re.search(r"(^|\.)example\.(com|org|net)$", page.site) for page in found.sources)
    assert "invented" in heard.text
    assert "<!--" not in heard.text


async def test_sources_of_the_demo_are_numbered_in_the_order_of_their_first_citation() -> None:
    """The first cited page is number 1, wherever it stands among those that were found."""
    heard = await ask("Pause in the middle of a search")
    numbers = [event.number for event in heard.events if isinstance(event, Citation)]
    assert numbers == [1, 2, 1]


async def test_a_search_fails_or_an_answer_pauses_and_it_goes_on() -> None:
    """Both end as whole answers, which can be stopped and continued at any word."""
    failing, pausing = await ask("Let a search fail"), await ask("Pause in the middle of a search")
    failures = [event.failure for event in failing.events if isinstance(event, Found)]
    assert failures == ["search_unavailable"]
    assert failing.reason == pausing.reason == "end_turn"
    assert Notice("claude_paused", passing=True) in pausing.events
    half = pausing.text[: len(pausing.text) // 2].rstrip()
    rest = await ask("Pause in the middle of a search", half)
    assert (half + rest.text).split() == pausing.text.split()
