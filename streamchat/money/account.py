"""The cost of one reply: the worst case is reserved before each call to Claude, and settled by the
call's meter."""

import math
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from streamchat.errors import BeyondShare, DayIsSpent, TooDear, TooLittleLeft, VisitorIsSpent
from streamchat.events import Conversation, Errand, Message
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
    conversation has, which is free; None means that Claude does not say.
    """

    budget: Budget | None
    prices: Prices
    system_prompt: str
    max_tokens: int
    speed: float = FASTEST_OF_ALL
    clock: Callable[[], float] = elapsed
    others: Mapping[str, Prices] = field(default_factory=dict)
    count: Count | None = None

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
        )

    def is_beyond(self, model: str, visitor: str | None) -> bool:
        """Whether even the shortest question to the model may cost more than the visitor's share of
        a day."""
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
        """Reserves the worst case of a call, and settles the calls before it, which have ended.
        Raises `Spent`, `TooDear`, `BeyondShare` or `NotRecorded`."""
        await self.settle()
        accounts, model = self._accounts, self.choice.model
        prices = accounts.of(model)
        system = "".join(self.choice.beside(accounts.system_prompt))
        if not self._calls:
            self._of_files = await self._counted(conversation)
        of_files = self._of_files
        most = prices.most(conversation, system, accounts.max_tokens, of_files=of_files)
        if accounts.budget:
            await self._reserve(accounts.budget, prices.cost(most))
        speed = fastest(model) if model in accounts.others else accounts.speed
        meter = Meter(most, speed=speed, clock=accounts.clock)
        self._calls.append(Call(meter, prices))
        return meter

    async def _counted(self, conversation: Conversation) -> int | None:
        """The most tokens of the files by Claude's own count, where there is a PDF: what its pages
        hold cannot be bounded as tightly here."""
        accounts = self._accounts
        has_pages = any(file.pages for message in conversation for file in message.files)
        if accounts.count is None or accounts.budget is None or not has_pages:
            return None
        counted = await accounts.count(conversation, self.choice)
        return None if counted is None else math.ceil(counted * COUNTED)

    def fall_back(self) -> None:
        """Makes all further calls go to the owner's model."""
        self.choice = replace(self.choice, model="")

    async def _reserve(self, budget: Budget, dollars: float) -> None:
        model = self.choice.model
        try:
            await budget.reserve(f"{self._name}/{len(self._calls)}", self.visitor, dollars)
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
        and who pays."""
        return {
            "cost": sum(call.cost for call in self._calls),
            "assumed": sum(call.assumed for call in self._calls),
            "saved": sum(call.saved for call in self._calls),
            "own_key": self._accounts.budget is None,
        }
