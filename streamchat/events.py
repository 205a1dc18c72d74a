"""The values that travel between a source, a reply and its readers."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, Self

from streamchat.attachments import Attachment
from streamchat.citations import Citation as Citation  # noqa: PLC0414 (one of the events)
from streamchat.citations import Found as Found  # noqa: PLC0414 (as well)
from streamchat.citations import FoundPage as FoundPage  # noqa: PLC0414 (a part of it)
from streamchat.citations import Search as Search  # noqa: PLC0414 (as well)
from streamchat.errors import ChatError, Value
from streamchat.meter import NOTHING, Meter
from streamchat.meter import Usage as Usage  # noqa: PLC0414 (one of the events)
from streamchat.options import OWNERS, Choice

Role = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """The words of the user or the assistant. A user's files come before the text, and Claude sees
    them first. Content `blocks` in Claude's own form stand for the words of an answer that Claude
    has paused; such a message is the last of its conversation, and kept nowhere."""

    role: Role
    text: str
    files: tuple[Attachment, ...] = ()
    blocks: tuple[Mapping[str, Any], ...] = field(default=(), repr=False, hash=False)


Conversation = tuple[Message, ...]


async def _freely(_: Conversation) -> None:
    pass


async def _at_once() -> None:
    pass


async def _more(_: Meter) -> None:
    pass


def _as_before() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Errand:
    """A short task of the program's own, beside the answers: one call to the model, which does not
    think, with the `system` prompt in place of the owner's. A call that fails is not repeated."""

    name: str
    model: str
    system: str
    max_tokens: int


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a source: a conversation that ends with the user's message, or with the
    assistant's words, which the source continues.

    The source counts the usage of its first call with `meter`. Before each further call it awaits
    `again`, which returns that call's meter or None, and it awaits `extend` when the results of
    searches exceed what was reserved for a call, which raises if there is no more. If there is a
    `key`, it pays for the calls. The source awaits `wanted` before it reads more from its
    connection: backpressure. `by_owner` if the request comes from the machine itself and nobody
    else can reach the chat. The source calls `fall_back` before it asks the owner's model instead
    of the chosen one. A request with an `errand` has no choice, and leads to one call.
    """

    conversation: Conversation
    again: Callable[[Conversation], Awaitable[Meter | None]] = _freely
    key: str = field(default="", repr=False)
    meter: Meter = field(default_factory=partial(Meter, NOTHING), repr=False, compare=False)
    wanted: Callable[[], Awaitable[None]] = field(default=_at_once, repr=False, compare=False)
    by_owner: bool = False
    choice: Choice = OWNERS
    errand: Errand | None = None
    fall_back: Callable[[], None] = field(default=_as_before, repr=False, compare=False)
    extend: Callable[[Meter], Awaitable[None]] = field(default=_more, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """The next piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Thinking:
    """The next piece of the model's thoughts before its answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A note about the reply, worded by `texts` and never part of the answer. A `passing` notice is
    obsolete once text follows. After an `instead` notice the text comes from another source, and is
    no part of the conversation."""

    code: str
    values: Mapping[str, Value] = field(default_factory=dict, hash=False)
    passing: bool = False
    instead: bool = False

    @property
    def sentence(self) -> str:
        """The code of its sentence in `texts`."""
        return self.code


@dataclass(frozen=True, slots=True)
class Receipt:
    """How a reply went: seconds since it was asked for, dollars, and the stop reason or the error's
    code.

    `assumed` is the part of the cost that Claude did not count; the true cost is lower by at most
    that. Somebody else paid for a `shared` reply; the visitor paid if `own_key`. `closed` if the
    reader's stop closed the connection to the model.
    """

    model: str
    reason: str
    words: int
    seconds: float
    first_word: float | None
    tokens_per_second: float | None
    cost: float
    saved: float
    assumed: float = 0.0
    shared: bool = False
    own_key: bool = False
    closed: bool = False
    searches: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """The reply ended without an error. `reason` is Claude's stop reason or one of ours:
    "stopped" by a reader, "abandoned" by all of them, "shutdown" with the server."""

    reason: str
    usage: Usage = NOTHING
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The reply ended with an error; the fields are those of `ChatError`. Only the owner sees its
    `cause`."""

    code: str
    status: int
    retry_after: float | None = None
    request_id: str | None = None
    usage: Usage = NOTHING
    receipt: Receipt | None = None
    cause: str = ""
    values: Mapping[str, Value] = field(default_factory=dict, hash=False)

    @property
    def sentence(self) -> str:
        """The code of its sentence in `texts`."""
        return self.code

    @classmethod
    def of(cls, error: ChatError, usage: Usage = NOTHING) -> Self:
        kept = error.retry_after, error.request_id
        return cls(error.code, error.status, *kept, usage, cause=error.cause, values=error.values)


# reasons that no source gives
OURS = {"stopped", "abandoned", "shutdown"}
# the reasons of an answer that says all it has to say
WHOLE = {"end_turn", "stop_sequence"}
# the known reasons of one that does not
CUT = OURS | {"max_tokens", "refusal", "model_context_window_exceeded"}
Ending = Done | Failed
Event = Text | Thinking | Notice | Search | Found | Citation | Usage | Done | Failed


def reason_for_owner(ending: Ending) -> str:
    return ending.reason if isinstance(ending, Done) else ending.cause or ending.code


def well_formed(text: str) -> str:
    """The text as valid Unicode: surrogate pairs are joined, and lone surrogates are replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
