"""How each reply went: a receipt for its reader, and one line of JSON for the owner. Never its
text."""

import hashlib
import json
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict

from streamchat.events import Done, Ending, Failed, Receipt, Text, Thinking, reason_for_owner
from streamchat.replies import Reply
from streamchat.system.logs import REPLIES

logger = logging.getLogger(REPLIES)

DAY = 86_400  # seconds
# seconds; a shorter reply has no speed that means anything
INSTANT = 0.05


def receipt(reply: Reply, ending: Ending, *, model: str) -> Receipt:
    """The receipt without the cost."""
    now, first = reply.clock(), reply.first_at
    spoke = min((first[kind] for kind in (Text, Thinking) if kind in first), default=now)
    tokens = ending.usage.output_tokens
    return Receipt(
        model=model,
        reason=ending.reason if isinstance(ending, Done) else ending.code,
        words=len(reply.text.split()),
        seconds=round(now - reply.asked_at, 3),
        first_word=round(first[Text] - reply.asked_at, 3) if Text in first else None,
        tokens_per_second=round(tokens / (now - spoke), 1)
        if tokens > 1 and now > spoke + INSTANT
        else None,
        cost=0.0,
        saved=0.0,
    )


class Telemetry:
    """Logs replies. Visitors appear as keyed hashes; the key is only in memory, and replaced each
    day."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._day = -1
        self._key = b""

    def follow(self, reply: Reply, visitor: str | None, *, event: str = "reply") -> None:
        """Has it logged once it has ended."""

        def log() -> None:
            if reply.ending:
                self.record(reply.ending, visitor, event=event)

        reply.on_end(log)

    def record(self, ending: Ending, visitor: str | None, *, event: str = "reply") -> None:
        """Logs a reply, or the errand of that name."""
        how = (
            asdict(ending.receipt) | {"reason": reason_for_owner(ending)} if ending.receipt else {}
        )
        request_id = ending.request_id if isinstance(ending, Failed) else None
        line = {
            "visitor": self.hash(visitor),
            **how,
            **asdict(ending.usage),
            "request_id": request_id,
        }
        logger.info("%s", json.dumps({"event": event, **line}))

    def hash(self, visitor: str | None) -> str | None:
        """The visitor's hash, the same until the end of the day (UTC)."""
        if (day := int(self._clock() // DAY)) != self._day:
            self._day, self._key = day, secrets.token_bytes(32)
        if visitor is None:
            return None
        return hashlib.blake2b(
            visitor.encode(errors="surrogatepass"), key=self._key, digest_size=8
        ).hexdigest()
