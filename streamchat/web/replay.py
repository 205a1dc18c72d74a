"""Gives the inner app a message that was already received."""

from starlette.types import Message, Receive


def replay(received: Message, receive: Receive) -> Receive:
    """A `receive` that returns that message first, and then what follows."""
    messages = [received]

    async def next_message() -> Message:
        return messages.pop() if messages else await receive()

    return next_message
