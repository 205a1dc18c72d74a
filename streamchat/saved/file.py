"""Conversations as files: as JSON, which can be imported again, and as Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from streamchat.attachments import Attachment
from streamchat.chat import light, titles
from streamchat.events import Message, well_formed
from streamchat.saved.carried import awaited, named
from streamchat.saved.rendering import PART
from streamchat.texts import text
from streamchat.ui import (
    MAX_TURNS,
    ROOT,
    Shown,
    Turn,
    Versions,
    as_kept,
    files_of,
    linked,
    message_of,
    with_files,
)
from streamchat.web.problem import Unfit

FORMAT = "streamchat-conversations"
VERSION = 1
MAX_CONVERSATIONS = 1_000
# of one conversation, as a page has it
MAX_MESSAGES = 900
MAX_TITLE = 120
# as the turns of its versions are counted
MAX_NUMBER = 1_000_000
# seconds since 1970 that a float still counts one by one
LATEST = 2.0**53
NAMES = {"user": "You", "assistant": "Claude"}

Fields = dict[str, Any]


@dataclass(frozen=True)
class SavedConversation:
    """A conversation in a file: its title, its messages and their versions, the unchecked options
    of its last question, and the time of its last word, which may be any or None."""

    title: str
    messages: Sequence[Message]
    versions: Versions = field(default_factory=Versions)
    options: Fields = field(default_factory=dict)
    at: float | None = None

    @property
    def files(self) -> list[Attachment]:
        """The files of its messages and of their versions."""
        hidden = (as_kept(turn.messages) for turn in self.versions.hidden)
        return [each for words in (self.messages, *hidden) for it in words for each in it.files]


def fields(saved: SavedConversation, at: float) -> Fields:
    """A conversation as JSON; `at` is the time of its last word."""
    found = {"title": saved.title, "at": at, "messages": _said(saved.messages)}
    if saved.options:
        found |= {"options": saved.options}
    if (versions := counted_anew(saved.versions)).hidden:
        hidden = list(map(_turn, versions.hidden))
        found |= {"path": versions.path, "versions": hidden}
    return found


def _turn(turn: Turn) -> Fields:
    words = as_kept(turn.messages)
    return {"turn": turn.number, "after": turn.after, "messages": _said(words)}


def _said(messages: Sequence[Message]) -> list[Fields]:
    return [
        {"role": message.role, "text": _text(message), **named(message)}
        for message in messages
        if message.role == "user" or _text(message).strip()
    ]


def _text(message: Message) -> str:
    """Its words; those of an answer with ordinary links to its sources."""
    return linked(message.text) if message.role == "assistant" else message.text


def file_of(conversations: list[Fields]) -> Fields:
    return {"format": FORMAT, "version": VERSION, "conversations": conversations}


def markdown(title: str, messages: Sequence[Message]) -> Iterator[str]:
    """The conversation in pieces."""
    yield f"# {title}"
    for message in messages:
        yield f"\n\n## {NAMES[message.role]}\n\n"
        text = _told(message)
        for start in range(0, len(text), PART):
            yield text[start : start + PART]
    yield "\n"


def _told(message: Message) -> str:
    names = [f"*{titles.one_line(file.name)}*" for file in message.files]
    return "\n\n".join([*([", ".join(names)] if names else []), _text(message).strip()])


def read(file: Fields) -> list[SavedConversation]:
    """The conversations of a file. Raises `Unfit` for anything that `file_of` would not make."""
    match file:
        case {"format": "streamchat-conversations", "version": 1, "conversations": [*found]}:
            if len(found) <= MAX_CONVERSATIONS:
                return [_conversation(each) for each in found]
    raise Unfit(422, "bad_file")


def _conversation(given: Any) -> SavedConversation:
    match given:
        case {"title": str(title), "messages": [_, *_] as messages} if (
            len(messages) <= MAX_MESSAGES and len(title) <= 10 * MAX_TITLE
        ):
            words = list(map(_message, messages))
            if words[0].role == "user":
                name = titles.one_line(title[: 2 * MAX_TITLE])[:MAX_TITLE]
                versions = _versions(words, given)
                return SavedConversation(
                    name, words, versions, _options(given), _time(given.get("at"))
                )
    raise Unfit(422, "bad_file")


def _options(given: Fields) -> Fields:
    options = given.get("options", {})
    if isinstance(options, dict):
        return options
    raise Unfit(422, "bad_file")


def _time(given: Any) -> float | None:
    """Seconds since 1970, or None for what is no such time."""
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    return given if is_number and 0 <= given < LATEST else None


def shown_of(message: Message) -> Shown:
    """The message as the page has it, with the fields of its files."""
    return with_files(message_of(message.role, message.text), list(map(light, message.files)))


def resolved(message: Shown, files: Mapping[str, Attachment]) -> Shown:
    """The message with the checked files in place of those that it awaits."""
    if not (waiting := files_of(message)):
        return message
    there = [files[each["digest"]] for each in waiting if each["digest"] in files]
    (words,) = as_kept([message])
    if not (words.text.strip() or there):
        gone = " ".join(text("file_gone", name=each["name"]) for each in waiting)
        return message_of("user", gone)
    return with_files(message_of(words.role, words.text), list(map(light, there)))


def _versions(words: list[Message], given: Fields) -> Versions:
    """The versions in a file; none in a file of an earlier release."""
    questions = sum(message.role == "user" for message in words)
    match given.get("path", []), given.get("versions", []):
        case [], []:
            return Versions()
        case [*path], [*turns] if len(path) == questions and len(turns) <= MAX_TURNS:
            found = Versions(tuple(map(_number, path)), tuple(map(_hidden, turns)))
            if found.is_tree:
                shown = list(map(shown_of, words))
                return counted_anew(found.bounded(shown))
    raise Unfit(422, "bad_file")


def counted_anew(versions: Versions) -> Versions:
    """The same versions with the lowest numbers in the same order, if theirs come near the limit of
    a file."""
    if versions.next <= MAX_NUMBER // 2:
        return versions
    hidden = versions.hidden
    ends = (number for turn in hidden for number in (turn.number, turn.after))
    numbers = sorted({ROOT, *versions.path, *ends})
    new = {number: place for place, number in enumerate(numbers, ROOT)}
    turns = (replace(turn, number=new[turn.number], after=new[turn.after]) for turn in hidden)
    return Versions(tuple(new[number] for number in versions.path), tuple(turns))


def _hidden(given: Any) -> Turn:
    match given:
        case {"turn": number, "after": after, "messages": [_, *_] as messages} if (
            len(messages) <= MAX_MESSAGES
        ):
            words = list(map(shown_of, map(_message, messages)))
            if [word["role"] for word in words].count("user") == 1 and words[0]["role"] == "user":
                return Turn.of(_number(number), _number(after), words)
    raise Unfit(422, "bad_file")


def _number(given: Any) -> int:
    if type(given) is int and ROOT <= given < MAX_NUMBER:
        return given
    raise Unfit(422, "bad_file")


def _message(given: Any) -> Message:
    match given:
        case {"role": "user" | "assistant" as role, "text": str(text)}:
            files = awaited(given.get("files", [])) if role == "user" else ()
            if text.strip() or files:
                return Message(role, well_formed(text), files)
    raise Unfit(422, "bad_file")
