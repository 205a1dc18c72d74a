"""What one reply costs: the worst case is reserved before each call to Claude, and settled from what was used."""

import secrets
from dataclasses import dataclass, replace
from typing import Any

from streamchat.budget import Budget
from streamchat.events import OURS, Conversation, Done, Failed, Notice, Text, Thinking, Usage
from streamchat.prices import Prices, length, written
from streamchat.reply import Reply

TOKEN = 30  # bytes; no text has longer ones on average, so that a count that says so was not finished


@dataclass(frozen=True)
class Accounts:
    """Opens an account for each reply that costs money; with no `budget`, that of the visitor only."""

    budget: Budget | None
    prices: Prices
    system_prompt: str
    max_tokens: int

    def open(self, visitor: str | None) -> "Account":
        return Account(self, visitor)

    def own(self, visitor: str | None) -> "Account":
        """One that the visitor pays."""
        return Account(replace(self, budget=None), visitor)


@dataclass(frozen=True)
class Call:
    """What was sent, and how far the reply had come before."""

    asked: str
    usage: Usage
    position: int


class Account:
    """One reply's; `reply` is set as soon as there is one."""

    def __init__(self, accounts: Accounts, visitor: str | None) -> None:
        self._accounts = accounts
        self.visitor = visitor
        self._name = secrets.token_urlsafe(16)
        self._failed: list[Usage] = []
        self._call: Call | None = None
        self.reply: Reply | None = None

    async def call(self, conversation: Conversation) -> None:
        """Reserves what a call can cost at the worst; raises `DayIsSpent`, `VisitorIsSpent` or `TooDear`.

        A call before it has failed.
        """
        if self._call:
            self._failed.append(used(self._call, self.reply, failed=True))
            self._call = None
        await self.settle()
        accounts, reply = self._accounts, self.reply
        worst = accounts.prices.worst(conversation, accounts.system_prompt, accounts.max_tokens)
        if accounts.budget:
            await accounts.budget.reserve(f"{self._name}/{len(self._failed)}", self.visitor, worst)
        asked = accounts.system_prompt + "".join(message.text for message in conversation)
        self._call = Call(asked, reply.usage, len(reply.log)) if reply else Call(asked, Usage(), 0)

    async def settle(self) -> None:
        """Counts what the calls cost instead of what was reserved for them."""
        if budget := self._accounts.budget:
            for number, usage in enumerate(self._used()):
                await budget.settle(f"{self._name}/{number}", self._accounts.prices.cost(usage))

    def bill(self) -> dict[str, Any]:
        """What a receipt says of it: the cost, what prompt caching saved, and whether the visitor pays."""
        calls, prices = self._used(), self._accounts.prices
        cost, saved = sum(map(prices.cost, calls)), sum(map(prices.saved, calls))
        return {"cost": cost, "saved": saved, "own_key": self._accounts.budget is None}

    def _used(self) -> list[Usage]:
        """By each call; a price may depend on the size of one."""
        return [*self._failed, used(self._call, self.reply)] if self._call else self._failed


def used(call: Call, reply: Reply | None, *, failed: bool = False) -> Usage:
    """Claude's count of a call as far as it came; for the rest, an estimate of what was sent and written."""
    if reply is None:
        return Usage()
    log, usage, ending = reply.log[call.position :], reply.usage - call.usage, reply.ending
    wrote = "".join(event.text for event in log if isinstance(event, Text | Thinking))
    failed = failed or isinstance(ending, Failed) or any(isinstance(event, Notice) for event in log)
    if replace(usage, output_tokens=0) == Usage() and (wrote or not failed):
        usage = replace(usage, input_tokens=written(call.asked))
    whole = isinstance(ending, Done) and ending.reason not in OURS
    if whole and length(wrote) <= usage.output_tokens * TOKEN:
        return usage
    return replace(usage, output_tokens=max(usage.output_tokens, written(wrote)))
