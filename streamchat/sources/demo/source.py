"""A source without a key: prepared answers to the messages of `STATES`, and something fitting to
any other."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from string import punctuation
from typing import Literal

from streamchat.errors import BrokenOff, Busy, ChatError
from streamchat.events import Conversation, Done, Event, Notice, Request, Text, Thinking, Usage

CUT = "<!-- cut -->"
# characters of a message that are looked at, since all of them would hold the event loop
LONGEST = 400_000

STATES = {
    "Show me everything Markdown can do": (
        "headings, lists, tables, code, formulas and the world's scripts"
    ),
    "Think it through: why is the sky blue?": "three seconds of thinking before the answer",
    "Write me 2,000 words about rivers": "a long answer, fast, and time enough to stop it",
    "Fail in the middle": "a connection that breaks off; what was written stays",
    "Take your time before you answer": "eight seconds without a word, in which stop works",
    "Be busy at first": "two attempts that are turned away, and a third that is not",
    "Fail before the first word": "a failure with nothing written, and when to try again",
    "Stop in the middle of a sentence": "an answer that has reached its greatest length",
    "Refuse to answer this": "an answer that is declined after a few words",
    "Say nothing at all": "an answer that ends without a word",
}
EXAMPLES = tuple(STATES)[:5]


Reader = Literal["owner", "key_holder", "visitor"]


@dataclass(frozen=True, slots=True)
class Answer:
    """A text and how it is given: what follows a `CUT` in it is left for a continuation."""

    text: str = ""
    thinking: str = ""
    turned_away: int = 0
    # seconds before the first word
    wait: float = 0.3
    pace: float = 40  # words a second
    ending: str | Callable[[], ChatError] = "end_turn"

    def after(self, begun: str) -> "Answer":
        """The rest of this answer when `begun` was already given; this time nothing comes in
        between."""
        whole = self.text.replace(CUT, "")
        rest = whole.removeprefix(begun) if whole.startswith(begun) else ""
        return Answer(rest or "\n\n*There is nothing to add to that.*", pace=self.pace)


class Demo:
    """Tells its owner how to set up a key, and visitors how to use one of their own where it
    `takes_keys`."""

    name = "The demo"
    model = "demo"

    def __init__(
        self, *, takes_keys: bool = False, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._takes_keys = takes_keys
        self._sleep = sleep

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def stream(self, request: Request) -> AsyncGenerator[Event]:
        answer = _answer(request.conversation, self._reader(request))
        for attempt in range(1, answer.turned_away + 1):
            numbers = {"seconds": 3, "attempt": attempt, "attempts": answer.turned_away}
            yield Notice("demo_busy", numbers, passing=True)
            await self._sleep(3)
        text = answer.text.partition(CUT)[0]
        asked = _tokens(*(message.text for message in request.conversation))
        yield Usage(asked)
        await self._sleep(answer.wait)
        for kind, words in ((Thinking, answer.thinking), (Text, text)):
            for piece in _pieces(words):
                yield kind(piece)
                await self._sleep(_seconds(piece, answer.pace))
        usage = Usage(asked, _tokens(answer.thinking, text))
        yield usage
        if not isinstance(answer.ending, str):
            raise answer.ending()
        yield Done(answer.ending, usage)

    def _reader(self, request: Request) -> Reader:
        if request.by_owner:
            return "owner"
        return "key_holder" if self._takes_keys else "visitor"


def _pieces(text: str) -> list[str]:
    """Words with the space before them, long ones in parts; joined they are exactly the text."""
    return re.findall(r"\s*\S{1,24}|\s+", text)


def _seconds(piece: str, pace: float) -> float:
    return (0.4 + min(len(piece), 14) / 10) / pace


def _tokens(*texts: str) -> int:
    return round(
        sum(len(text.split()) if len(text) <= LONGEST else len(text) // 6 for text in texts) * 4 / 3
    )


def _read(name: str) -> str:
    return (Path(__file__).with_name("answers") / f"{name}.md").read_text("utf-8").strip()


_SKY = "why (is the sky|the sky is) blue"
_THINK = "think (it|this|that|about (it|this|that)) (through|over|carefully) "
_2000 = "((2 ?000|two thousand) words|an? (long )?(essay|text))"
_APP = "(this|you|streamchat|the demo)( app| chat| page| demo| site)?"
_KEY = "(to )?(the |an? |my )?(real )?(claude|(anthropic |claude )?(api )?key)( here)?"

_PREPARED = {
    "(show|give|tell)( me)? (everything|all|what)( that)? markdown (can do|can|does|has)": Answer(
        _read("tour")
    ),
    "what can markdown do|(show me )?(a |the )?markdown (demo|tour|test)": Answer(_read("tour")),
    _THINK + _SKY: Answer(_read("sky"), thinking=_read("sky_thinking")),
    _SKY: Answer(_read("sky")),
    f"(write |give )?(me )?{_2000} (about|on) (the )?rivers?": Answer(_read("rivers"), pace=100),
    "take (all )?(your|the) time( you need)?( before (you )?(answer|reply)(ing)?)?": Answer(
        _read("wait"), wait=8
    ),
    "be busy( at first| first| for a while)?": Answer(_read("busy"), turned_away=2),
    "refuse (to answer( this| that| me)?|this|that)": Answer(_read("refuse"), ending="refusal"),
    "(stop|end|break off) (in the middle of|mid) ?(an?|the|your)? ?sentence": Answer(
        _read("unfinished"), ending="max_tokens"
    ),
    "fail (before (the|your) first word|at once|immediately|right away)": Answer(
        _read("unavailable"), ending=partial(Busy, retry_after=20)
    ),
    "fail (in the middle|half ?way|midway)( through| of)?"
    "( (an?|the|your) (sentence|answer|text))?": Answer(_read("login"), ending=BrokenOff),
    "(say|answer|write) nothing( at all)?": Answer(),
    "(hi|hello|hey|hallo|hola|bonjour|ciao|good (morning|afternoon|evening))"
    "( there| claude| demo| world)?": Answer(_read("hello")),
    "((hi|hello|hey) )?how are you( doing)?( today)?": Answer(_read("well")),
    "(many )?(thanks|thank you|thx|cheers)( so much| very much| a lot| again| claude)?": Answer(
        _read("thanks")
    ),
    "(good ?)?bye( bye)?|see you( later| soon)?": Answer(_read("bye")),
    "help( me)?|examples|what (can|should|do) (you|i|this)( app| chat| demo)?"
    " (do|show me|ask|try|say)( here)?": Answer(
        _read("help").format(
            states="\n".join(f"| {message} | {shows} |" for message, shows in STATES.items())
        )
    ),
    f"(what|who)( is|'s| are) {_APP}( about)?|how does {_APP} work"
    "|are you (claude|real|an? (bot|human|ai))": Answer(_read("about")),
}
_CONNECT = (
    f"(how|where) (do|can|should) i (connect|use|get|add|set up|put|enter|talk) {_KEY}|connect (to"
    " )?claude"
)
_ADVICE: dict[Reader, str] = {
    "owner": (
        "For a real answer, [get a key](https://platform.claude.com/settings/keys), put"
        " `ANTHROPIC_API_KEY=` and the key into a file named `.env` next to `app.py`, and start the"
        " chat again: then Claude answers here."
    ),
    "key_holder": (
        "For a real answer, enter an API key of your own under **Your own API key** below the"
        " message box: then Claude answers you here."
    ),
    "visitor": "A real answer takes Claude.",
}
_CONNECTED: dict[Reader, str] = {
    "owner": _read("connect"),
    "key_holder": _read("connect_own_key"),
    "visitor": _read("connect_visitor"),
}
_POLITE = "^((please|can you|could you|would you|now|ok|okay|so) )+|( (please|now|for me))+$"


def _answer(conversation: Conversation, reader: Reader) -> Answer:
    *before, last = conversation
    if before and last.role == "assistant":
        return _answer(tuple(before), reader).after(last.text)
    asked = _unanswered(last.text)
    if re.fullmatch(_CONNECT, _plain(asked)):
        return Answer(_CONNECTED[reader])
    return _prepared(asked) or _anything(
        asked, [message.text for message in before if message.role == "user"], reader
    )


def _unanswered(text: str) -> str:
    """Without the messages that got no word for an answer: the next one follows them as a
    paragraph."""
    if len(text) > LONGEST:
        return text
    paragraphs = text.strip().split("\n\n", 20)
    while len(paragraphs) > 1 and _prepared(paragraphs[0]):
        del paragraphs[0]
    return "\n\n".join(paragraphs)


def _prepared(text: str) -> Answer | None:
    plain = _plain(text)
    return next(
        (answer for pattern, answer in _PREPARED.items() if re.fullmatch(pattern, plain)), None
    )


def _plain(text: str) -> str:
    """The words of a short message in lower case, without the polite ones around them; of a long
    one, none."""
    if len(text) > 300:
        return ""
    words = re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.casefold().replace("’", "'"))
    return re.sub(_POLITE, "", " ".join(words))


def _anything(asked: str, before: list[str], reader: Reader) -> Answer:
    begin = asked[:LONGEST]
    text = _read("anything").format(
        opening=_opening(begin),
        quote=_quoted(begin, 280) or "(nothing)",
        facts=" ".join(_facts(asked, before)),
        advice=_ADVICE[reader],
        example=EXAMPLES[len(asked) % len(EXAMPLES)],
    )
    return Answer(text, thinking=_read("thinking") if re.match(_THINK, _plain(asked)) else "")


def _opening(text: str) -> str:
    if re.search(r"```|[{};]$|^[ \t]*def \w+\(|^from \S+ import |</\w+>", text, re.MULTILINE):
        return "That looks like code to me:"
    if text.rstrip("\"'”»)*_ \n").endswith(("?", "？", "؟")):
        return "That is a question, and a better one than I can answer:"
    return "Thank you, I have read every character of it:"


def _quoted(text: str, length: int) -> str:
    """One line in which nothing is Markdown, HTML or a formula any more."""
    line = " ".join(text.split())
    short = line if len(line) <= length else line[:length].rstrip() + "…"
    special = r"[\\`*_\[\]<>&$~|#]|^[-+=]|^\d+(?=[.)])"
    return re.sub(special, lambda found: "".join(f"&#{ord(sign)};" for sign in found[0]), short)


def _facts(text: str, before: list[str]) -> Iterator[str]:
    if len(text) > LONGEST:
        yield (
            f"It has {_count(len(text), 'character')}, which are too many for me to count its"
            " words."
        )
    else:
        yield from _words(text)
    if before:
        quote = _quoted(before[-1][:LONGEST], 80)
        yield f"This is turn {len(before) + 1} of our conversation; before it you wrote “{quote}”."


def _words(text: str) -> Iterator[str]:
    words = [
        word for word in (part.strip(punctuation + "“”‘’„«»…") for part in text.split()) if word
    ]
    characters = _count(len(text), "character")
    if re.search("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]", text):
        yield f"It has {characters}, and does not need spaces between its words."
    else:
        yield f"It has {_count(len(words), 'word')} and {characters}."
        if len(words) > 1:
            yield f"The longest word is “{_quoted(max(words, key=len), 40)}”."


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
