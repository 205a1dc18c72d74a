"""A source without a key: prepared answers to the messages of `STATES`, and a fitting answer to any
other."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from string import punctuation

from streamchat.events import Conversation, Done, Event, Notice, Request, Text, Thinking, Usage
from streamchat.sources.demo.looking import looked
from streamchat.sources.demo.markdown import quoted
from streamchat.sources.demo.prepared import (
    ADVICE,
    CONNECT,
    CONNECTED,
    CUT,
    EXAMPLES,
    LONGEST,
    THINK,
    Answer,
    Reader,
    plain_words,
    prepared_answer,
    read,
    unanswered,
)
from streamchat.sources.demo.steps import Timed, steps, without


class Demo:
    """Explains to the owner how to set up a key, and to visitors, if it `takes_keys`, how to use
    their own."""

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
        for event, seconds in _timed(answer.thinking, text, answer.pace):
            yield event
            await self._sleep(seconds)
        usage = Usage(asked, _tokens(answer.thinking, without(text)))
        yield usage
        if not isinstance(answer.ending, str):
            raise answer.ending()
        yield Done(answer.ending, usage)

    def _reader(self, request: Request) -> Reader:
        if request.by_owner:
            return "owner"
        return "key_holder" if self._takes_keys else "visitor"


def _timed(thinking: str, text: str, pace: float) -> Iterator[Timed]:
    """The events of an answer, each with the seconds that follow it."""
    for piece in _pieces(thinking):
        yield Thinking(piece), _seconds(piece, pace)
    for step in steps(text):
        if isinstance(step, str):
            yield from ((Text(piece), _seconds(piece, pace)) for piece in _pieces(step))
        else:
            yield step


def _pieces(text: str) -> list[str]:
    """Words with the space before them, long ones in parts. Joined they are the exact text."""
    return re.findall(r"\s*\S{1,24}|\s+", text)


def _seconds(piece: str, pace: float) -> float:
    return (0.4 + min(len(piece), 14) / 10) / pace


def _tokens(*texts: str) -> int:
    return round(
        sum(len(text.split()) if len(text) <= LONGEST else len(text) // 6 for text in texts) * 4 / 3
    )


def _answer(conversation: Conversation, reader: Reader) -> Answer:
    *before, last = conversation
    if before and last.role == "assistant":
        return _answer(tuple(before), reader).after(last.text)
    asked = unanswered(last.text)
    if last.files:
        return looked(last.files, asked, ADVICE[reader])
    if re.fullmatch(CONNECT, plain_words(asked)):
        return Answer(CONNECTED[reader])
    return prepared_answer(asked) or _anything(
        asked, [message.text for message in before if message.role == "user"], reader
    )


def _anything(asked: str, before: list[str], reader: Reader) -> Answer:
    begin = asked[:LONGEST]
    text = read("anything").format(
        opening=_opening(begin),
        quote=quoted(begin, 280) or "(nothing)",
        facts=" ".join(_facts(asked, before)),
        advice=ADVICE[reader],
        example=EXAMPLES[len(asked) % len(EXAMPLES)],
    )
    return Answer(text, thinking=read("thinking") if re.match(THINK, plain_words(asked)) else "")


def _opening(text: str) -> str:
    if re.search(r"```|[{};]$|^[ \t]*def \w+\(|^from \S+ import |</\w+>", text, re.MULTILINE):
        return "That looks like code to me:"
    if text.rstrip("\"'”»)*_ \n").endswith(("?", "？", "؟")):
        return "That is a question, and a better one than I can answer:"
    return "Thank you, I have read every character of it:"


def _facts(text: str, before: list[str]) -> Iterator[str]:
    if len(text) > LONGEST:
        yield (
            f"It has {_count(len(text), 'character')}, which are too many for me to count its"
            " words."
        )
    else:
        yield from _words(text)
    if before:
        quote = quoted(before[-1][:LONGEST], 80)
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
            yield f"The longest word is “{quoted(max(words, key=len), 40)}”."


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
