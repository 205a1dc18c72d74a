"""The cost of one reply: the worst case is reserved before each call to Claude, and settled by the
call's meter."""

import math
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from streamchat.errors import BeyondShare, DayIsSpent, Spent, TooDear, TooLittleLeft, VisitorIsSpent
from streamchat.events import Conversation, Errand, Message, Usage
from streamchat.meter import FASTEST_OF_ALL, Meter, elapsed, fastest
from streamchat.money.budget import Budget
from streamchat.money.prices import Prices
from streamchat.options import OWNERS, Choice

SHORTEST = (Message("user", "?"),)
# Claude says that its count of what is sent may be off by a little
COUNTED = 1.05

Count = Callable[[Conversation, Choice], Awaitable[int | None]]


@dataclass(frozen=True)
class Accounts:
    """Opens an account for each reply that costs money. Without a `budget` only visitors pay.

    `speed` is in tokens per second, above the fastest model; `clock` is in seconds. `others` has
    the prices of further models that visitors may choose. `count` asks Claude how many tokens a
    conversation has, which is free; None means that Claude does not say. A reply whose choice says
    so may have up to `searches`.
    """

    budget: Budget | None
    prices: Prices
    system_prompt: str
    max_tokens: int
    speed: float = FASTEST_OF_ALL
    clock: Callable[[], float] = elapsed
    others: Mapping[str, Prices] = field(default_factory=dict)
    count: Count | None = None
    searches: int = 0

    @cached_property
    def least(self) -> float:
        """Dollars reserved for the cheapest answer to the shortest question."""
        return min(map(self.least_of, ["", *self.others]))

    def least_of(self, model: str) -> float:
        """The same for one model."""
        return self.of(model).worst(SHORTEST, self.system_prompt, self.max_tokens)

    def of(self, model: str) -> Prices:
        """The prices of a model; an empty name is the owner's model."""
        return self.others.get(model, self.prices)

    def for_errand(self, errand: Errand) -> "Accounts":
        """The same budget, at the prices of an errand's model and within its bounds."""
        return replace(
            self,
            prices=Prices(errand.model),
            system_prompt=errand.system,
            max_tokens=errand.max_tokens,
            speed=fastest(errand.model),
            others={},
            searches=0,
        )

    def is_beyond(self, model: str, visitor: str | None) -> bool:
        """Whether the shortest question to the model may cost more than the visitor's share of a
        day."""
        return self.budget is not None and self.least_of(model) > self.budget.share(visitor)

    def open(self, visitor: str | None, choice: Choice = OWNERS) -> "Account":
        return Account(self, visitor, choice)

    def own(self, visitor: str | None, choice: Choice = OWNERS) -> "Account":
        """An account that the visitor pays."""
        return Account(replace(self, budget=None), visitor, choice)


@dataclass(frozen=True, slots=True)
class Call:
    """One call to Claude, at the prices of its model."""

    meter: Meter
    prices: Prices

    @property
    def cost(self) -> float:
        return self.prices.cost(self.meter.used())

    @property
    def saved(self) -> float:
        return self.prices.saved(self.meter.used())

    @property
    def assumed(self) -> float:
        counted = self.meter.counted
        return 0.0 if self.meter.used() == counted else self.cost - self.prices.cost(counted)


class Account:
    """The account of one reply, over all its calls."""

    def __init__(self, accounts: Accounts, visitor: str | None, choice: Choice) -> None:
        self._accounts = accounts
        self.visitor = visitor
        self.choice = choice
        self._name = secrets.token_urlsafe(16)
        self._calls: list[Call] = []
        self._of_files: int | None = None

    async def call(self, conversation: Conversation) -> Meter:
        """Reserves the worst case of a call, and settles the calls before it, which have ended. A
        call has fewer searches if there is not enough money for all that the reply has left. Raises
        `Spent`, `TooDear`, `BeyondShare` or `NotRecorded`."""
        await self.settle()
        accounts, model = self._accounts, self.choice.model
        prices = accounts.of(model)
        if not self._calls:
            self._of_files = await self._counted(conversation)
        searches = self._searches_left()
        while True:
            most = self._most(conversation, searches)
            try:
                await self._reserve(prices.cost(most))
                break
            except (Spent, TooDear, BeyondShare):
                if not searches:
                    raise
                searches -= 1
        speed = fastest(model) if model in accounts.others else accounts.speed
        meter = Meter(most, searches=searches, speed=speed, clock=accounts.clock)
        self._calls.append(Call(meter, prices))
        return meter

    async def extend(self, meter: Meter) -> None:
        """Reserves what the results of searches need beyond the worst case of the last call. Raises
        as `call` does."""
        prices, needed = self._calls[-1].prices, meter.needed()
        await self._reserve(prices.cost(needed) - prices.cost(meter.worst), len(self._calls) - 1)
        meter.worst = needed

    def _most(self, conversation: Conversation, searches: int) -> Usage:
        accounts = self._accounts
        return accounts.of(self.choice.model).most(
            conversation,
            "".join(self.choice.beside(accounts.system_prompt)),
            accounts.max_tokens,
            of_files=self._of_files,
            searches=searches,
        )

    def _searches_left(self) -> int:
        used = sum(call.meter.used().web_searches for call in self._calls)
        return max(0, self._accounts.searches - used) if self.choice.search else 0

    async def _counted(self, conversation: Conversation) -> int | None:
        """The most tokens of the files, counted by Claude if there is a PDF, for which the local
        bound is loose."""
        accounts = self._accounts
        has_pages = any(file.pages for message in conversation for file in message.files)
        if accounts.count is None or accounts.budget is None or not has_pages:
            return None
        counted = await accounts.count(conversation, self.choice)
        return None if counted is None else math.ceil(counted * COUNTED)

    def fall_back(self) -> None:
        """Makes all further calls go to the owner's model."""
        self.choice = replace(self.choice, model="")

    async def _reserve(self, dollars: float, number: int | None = None) -> None:
        """Adds to the reservation of the call with that number, which is otherwise the next one."""
        budget, model = self._accounts.budget, self.choice.model
        number = len(self._calls) if number is None else number
        if budget is None:
            return
        try:
            await budget.reserve(f"{self._name}/{number}", self.visitor, dollars)
        except TooDear:
            if model in self._accounts.others and self._accounts.is_beyond(model, self.visitor):
                raise BeyondShare from None
            raise
        except (DayIsSpent, VisitorIsSpent) as refusal:
            least = self._accounts.least_of(model)
            if self.visitor is None or budget.left_without_reserved(self.visitor) < least:
                raise
            raise TooLittleLeft(retry_after=refusal.retry_after) from None

    def close(self) -> None:
        """Ends the usage of all calls. Idempotent."""
        for call in self._calls:
            call.meter.close()

    async def settle(self) -> None:
        """Replaces the reservation by the calls' cost."""
        self.close()
        if budget := self._accounts.budget:
            for number, cost in enumerate([call.cost for call in self._calls]):
                await budget.settle(f"{self._name}/{number}", cost)

    def bill(self) -> dict[str, Any]:
        """The fields of a receipt: the cost, how much of it is assumed, what prompt caching saved,
        who pays, and the number of searches."""
        return {
            "cost": sum(call.cost for call in self._calls),
            "assumed": sum(call.assumed for call in self._calls),
            "saved": sum(call.saved for call in self._calls),
            "own_key": self._accounts.budget is None,
            "searches": sum(call.meter.used().web_searches for call in self._calls),
        }
