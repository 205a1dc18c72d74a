"""What one reply costs: the worst case is reserved before each call to Claude, and settled from what was used."""

import secrets
from dataclasses import dataclass, replace
from typing import Any

from streamchat.budget import Budget
from streamchat.events import OURS, Conversation, Done, Failed, Text, Thinking, Usage
from streamchat.prices import Prices, written
from streamchat.reply import Reply


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


class Account:
    """One reply's; `reply` is set as soon as there is one."""

    def __init__(self, accounts: Accounts, visitor: str | None) -> None:
        self._accounts = accounts
        self.visitor = visitor
        self._name = secrets.token_urlsafe(16)
        self._calls = 0
        self._settled = 0.0
        self._asked = ""
        self.reply: Reply | None = None

    async def call(self, conversation: Conversation) -> None:
        """Reserves what a call can cost at the worst; raises `DayIsSpent` or `VisitorIsSpent`."""
        await self.settle()
        accounts = self._accounts
        worst = accounts.prices.worst(conversation, accounts.system_prompt, accounts.max_tokens)
        if accounts.budget:
            await accounts.budget.reserve(f"{self._name}/{self._calls + 1}", self.visitor, worst)
        self._calls += 1
        self._asked = accounts.system_prompt + "".join(message.text for message in conversation)

    async def settle(self) -> None:
        """Counts what the last call cost instead of what was reserved for it."""
        if self._calls and self._accounts.budget:
            cost = self.cost()
            await self._accounts.budget.settle(f"{self._name}/{self._calls}", max(0.0, cost - self._settled))
            self._settled = cost

    def cost(self) -> float:
        """Dollars of all calls so far."""
        return self._accounts.prices.cost(self._used())

    def bill(self) -> dict[str, Any]:
        """What a receipt says of it: the cost, what prompt caching saved, and whether the visitor pays."""
        used, prices = self._used(), self._accounts.prices
        return {"cost": prices.cost(used), "saved": prices.saved(used), "own_key": self._accounts.budget is None}

    def _used(self) -> Usage:
        reply = self.reply
        if reply is None:
            return Usage()
        counted = self._calls == 1 and isinstance(reply.ending, Done) and reply.ending.reason not in OURS
        return reply.usage if counted else estimated(reply, self._asked)


def estimated(reply: Reply, asked: str) -> Usage:
    """Claude's count as far as it came; for the rest, an estimate of what was sent and written."""
    usage, ending = reply.usage, reply.ending
    if usage == Usage() and not isinstance(ending, Failed):
        usage = Usage(input_tokens=written(asked))
    wrote = "".join(event.text for event in reply.log if isinstance(event, Text | Thinking))
    return replace(usage, output_tokens=max(usage.output_tokens, written(wrote)))
