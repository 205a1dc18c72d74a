"""The cost of one reply: the worst case is reserved before each call to Claude, and settled by what
its meter says."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from streamchat.errors import DayIsSpent, TooLittleLeft, VisitorIsSpent
from streamchat.events import Conversation, Message, Usage
from streamchat.meter import FASTEST_OF_ALL, Meter, elapsed
from streamchat.money.budget import Budget
from streamchat.money.prices import Prices


@dataclass(frozen=True)
class Accounts:
    """Opens an account for each reply that costs money; with no `budget`, that of the visitor only.

    `speed` is in tokens per second, above the fastest that the model writes; `clock` in seconds.
    """

    budget: Budget | None
    prices: Prices
    system_prompt: str
    max_tokens: int
    speed: float = FASTEST_OF_ALL
    clock: Callable[[], float] = elapsed

    @cached_property
    def least(self) -> float:
        """Dollars that are reserved for an answer to the shortest question."""
        return self.prices.worst((Message("user", "?"),), self.system_prompt, self.max_tokens)

    def open(self, visitor: str | None) -> "Account":
        return Account(self, visitor)

    def own(self, visitor: str | None) -> "Account":
        """One that the visitor pays."""
        return Account(replace(self, budget=None), visitor)


class Account:
    """One reply's, over all the calls that it takes."""

    def __init__(self, accounts: Accounts, visitor: str | None) -> None:
        self._accounts = accounts
        self.visitor = visitor
        self._name = secrets.token_urlsafe(16)
        self._meters: list[Meter] = []

    async def call(self, conversation: Conversation) -> Meter:
        """Reserves what a call can cost at most, and settles the calls before it, which have ended.

        Raises `Spent`, `TooDear` or `NotRecorded`.
        """
        await self.settle()
        accounts = self._accounts
        most = accounts.prices.most(conversation, accounts.system_prompt, accounts.max_tokens)
        if accounts.budget:
            await self._reserve(accounts.budget, accounts.prices.cost(most))
        meter = Meter(most, speed=accounts.speed, clock=accounts.clock)
        self._meters.append(meter)
        return meter

    async def _reserve(self, budget: Budget, dollars: float) -> None:
        try:
            await budget.reserve(f"{self._name}/{len(self._meters)}", self.visitor, dollars)
        except (DayIsSpent, VisitorIsSpent) as refusal:
            if (
                self.visitor is None
                or budget.left_without_reserved(self.visitor) < self._accounts.least
            ):
                raise
            raise TooLittleLeft(retry_after=refusal.retry_after) from None

    def stop(self) -> None:
        """Nothing more is used from now on. Idempotent."""
        for meter in self._meters:
            meter.stop()

    async def settle(self) -> None:
        """Counts what the calls cost instead of what was reserved for them."""
        self.stop()
        if budget := self._accounts.budget:
            for number, usage in enumerate(self._used()):
                await budget.settle(f"{self._name}/{number}", self._accounts.prices.cost(usage))

    def bill(self) -> dict[str, Any]:
        """The fields of a receipt: the cost, how much of it is assumed, what prompt caching saved,
        and who pays."""
        prices, calls = self._accounts.prices, self._used()
        return {
            "cost": sum(map(prices.cost, calls)),
            "assumed": sum(map(self._assumed, self._meters)),
            "saved": sum(map(prices.saved, calls)),
            "own_key": self._accounts.budget is None,
        }

    def _assumed(self, meter: Meter) -> float:
        used, prices = meter.used(), self._accounts.prices
        return 0.0 if used == meter.counted else prices.cost(used) - prices.cost(meter.counted)

    def _used(self) -> list[Usage]:
        """By each call; a price may depend on the size of one."""
        return [meter.used() for meter in self._meters]
