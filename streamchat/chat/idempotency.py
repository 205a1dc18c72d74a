"""Idempotency: one reply for all requests of a visitor with the same key, so that a repeated
request is paid once.

Draft: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from weakref import WeakValueDictionary

from streamchat.chat.parties import Asker
from streamchat.errors import KeyReused, UnknownReply
from streamchat.events import Conversation, Message
from streamchat.options import OWNERS, Choice
from streamchat.replies import Reply
from streamchat.visitors import Shelf

MOST = 20_000
MOST_OF_VISITOR = 200
AGE = 86_400.0  # seconds


@dataclass(frozen=True, slots=True)
class Answered:
    """The digest of a question that was asked with a key, its reply, and the time."""

    asked: bytes
    reply_id: str
    at: float


class Idempotency:
    """Keys belong to a visitor and to whoever pays: another visitor's equal key is a different one.
    Keys are forgotten after `age` seconds, or when there are too many. `find` returns a reply by
    its id, or raises `UnknownReply`."""

    def __init__(
        self,
        find: Callable[[str], Awaitable[Reply]],
        *,
        most: int = MOST,
        most_of_visitor: int = MOST_OF_VISITOR,
        age: float = AGE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find = find
        self._age = age
        self._clock = clock
        self._answered: Shelf[bytes, Answered] = Shelf(most=most, share=most_of_visitor)
        self._locks: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()

    async def reply(
        self,
        key: str,
        conversation: Conversation,
        asker: Asker,
        begin: Callable[[], Awaitable[Reply]],
        *,
        choice: Choice = OWNERS,
    ) -> Reply:
        """The key's reply, or a new one. Raises `KeyReused` if the key was used for another
        conversation or other options.

        Requests that arrive while the first one begins wait for it. A refused request leaves no
        trace.
        """
        name = _digest(asker.visitor or "", asker.key.strip(), key)
        options = map(str, choice.fields.values())
        turns = (part for message in conversation for part in _parts(message))
        asked = _digest(*options, *turns)
        async with self._locks.setdefault(name, asyncio.Lock()):
            if reply := await self._known(name, asked):
                return reply
            reply = await begin()
            self._answered.put(name, Answered(asked, reply.id, self._clock()), asker.visitor)
            return reply

    async def _known(self, name: bytes, asked: bytes) -> Reply | None:
        answered = self._answered.get(name)
        if answered is None or self._clock() >= answered.at + self._age:
            return None
        if answered.asked != asked:
            raise KeyReused
        try:
            reply = await self._find(answered.reply_id)
        except UnknownReply:
            return None
        return None if reply.came_to_nothing else reply


def _parts(message: Message) -> Iterator[str]:
    yield message.role
    # the length keeps a file from passing for a text, and a text for a file
    yield str(len(message.files))
    yield from (file.digest for file in message.files)
    yield message.text


def _digest(*parts: str) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode(errors="surrogatepass")
        digest.update(len(data).to_bytes(8))
        digest.update(data)
    return digest.digest()
