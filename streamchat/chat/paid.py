"""Replies that an account pays for, as a source writes them."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from streamchat.chat.parties import Source
from streamchat.chat.telemetry import receipt
from streamchat.chat.writing import writing
from streamchat.events import Done, Ending, Receipt, Request
from streamchat.money import Account
from streamchat.replies import Reply

Soon = Callable[[Coroutine[Any, Any, None]], None]


async def paid(  # noqa: PLR0913 (each says how it is written)
    source: Source,
    request: Request,
    account: Account,
    soon: Soon,
    *,
    linger: float | None,
    gathers: bool = False,
) -> Reply:
    """The reply, for whose first call the account has reserved; what it cost is settled `soon`
    after its end."""
    meter = await account.call(request.conversation)
    model = request.errand.model if request.errand else ""

    def settle() -> None:
        account.close()
        soon(account.settle())

    def billed(reply: Reply, ending: Ending) -> Receipt:
        basic = receipt(reply, ending, model=model or account.choice.model or source.model)
        return replace(basic, closed=was_stopped(ending), **account.bill())

    request = replace(
        request,
        meter=meter,
        again=account.call,
        fall_back=account.fall_back,
        extend=account.extend,
    )
    return Reply(
        writing(source, request), linger=linger, receipt=billed, settle=settle, gathers=gathers
    )


def was_stopped(ending: Ending) -> bool:
    return isinstance(ending, Done) and ending.reason == "stopped"
