"""Recognises a message that comes again, and restores its typed indentation."""

import hashlib
import inspect
from collections.abc import Sequence

from streamchat.ui.transcript import Shown, text_of

# characters of a message whose indentation is restored; comparing a longer one would block the
# event loop
MAX_INDENTED = 50_000


def as_typed(message: str, replaced: Sequence[Shown]) -> str:
    """The message with its typed indentation, which the page does not return when it is asked
    again."""
    before = text_of(replaced[0]) if replaced else message
    return (
        before if len(before) <= MAX_INDENTED and inspect.cleandoc(before) == message else message
    )


def digest(message: str) -> str:
    """A digest that recognises a message, or the key it was sent with."""
    return hashlib.blake2b(message.strip().encode(errors="replace"), digest_size=16).hexdigest()
