"""The cost of one reply, over all the calls to Claude that it takes."""

import pytest

from streamchat.errors import DayIsSpent, TooLittleLeft
from streamchat.events import Message, Usage
from streamchat.meter import MARKS
from streamchat.money.account import Account, Accounts
from streamchat.money.budget import Budget
from streamchat.money.prices import Prices
from streamchat.store.database import Store
from tests.hand import Ticking

HI = (Message("user", "hi"),)
PRICES = Prices("claude-sonnet-5-5")
MAX_TOKENS = 1_000
MOST = PRICES.most(HI, "Be brief.", MAX_TOKENS)
WORST = PRICES.cost(MOST)
SPEED = 100.0


def accounts(
    money: float, clock: Ticking | None = None, prices: Prices = PRICES
) -> tuple[Budget, Accounts]:
    budget = Budget(Store(""), daily=money, visitor=None)
    return budget, Accounts(
        budget, prices, "Be brief.", MAX_TOKENS, speed=SPEED, clock=clock or Ticking()
    )


def dollars(*usages: Usage, prices: Prices = PRICES) -> object:
    """The cost of calls with these usages, in dollars."""
    return pytest.approx(sum(map(prices.cost, usages)), abs=1e-9)


async def answered(account: Account, usage: Usage) -> None:
    """A whole and counted call."""
    meter = await account.call(HI)
    meter.count(usage, output=True)
    meter.end()
    meter.close()


async def test_the_worst_case_is_reserved_and_the_true_cost_counted() -> None:
    """A running reply counts with its worst case, an ended one with Claude's count."""
    budget, all_accounts = accounts(1)
    account = all_accounts.open("a")
    meter = await account.call(HI)
    assert budget.spent() == pytest.approx(WORST, abs=1e-5)
    meter.count(Usage(25, 42), output=True)
    meter.end()
    await account.settle()
    assert budget.spent() == pytest.approx(PRICES.cost(Usage(25, 42)), abs=1e-5)
    assert account.bill()["assumed"] == 0


async def test_a_further_call_has_to_be_paid_for_too() -> None:
    """A further call is refused without money for it, and the call before it stays paid."""
    budget, all_accounts = accounts(WORST * 1.01)
    account = all_accounts.open("a")
    await answered(account, Usage(500, 400))
    with pytest.raises(DayIsSpent):
        await account.call(HI)
    await account.settle()
    assert budget.spent() == pytest.approx(PRICES.cost(Usage(500, 400)), abs=1e-5)


async def test_a_call_that_was_turned_away_costs_nothing_and_makes_room_for_the_next() -> None:
    """Retries against a busy Claude do not pile up reservations."""
    budget, all_accounts = accounts(WORST * 1.01)
    account = all_accounts.open("a")
    for _ in range(4):
        (await account.call(HI)).waive()
    assert account.bill()["cost"] == 0
    await account.settle()
    assert budget.spent() == 0


async def test_each_call_that_broke_off_is_settled_at_its_upper_bound() -> None:
    """Claude's count of the next call does not replace the bound of the call before it."""
    clock = Ticking()
    budget, all_accounts = accounts(1, clock)
    account = all_accounts.open("a")
    first = await account.call(HI)
    first.count(Usage(25, 1))
    clock.now += 3
    first.close()
    await answered(account, Usage(50, 600))
    clock.now += 1_000
    await account.settle()
    both = Usage(25, 300), Usage(50, 600)
    assert account.bill()["cost"] == dollars(*both)
    assert account.bill()["assumed"] == dollars(Usage(0, 299))
    assert budget.spent() == pytest.approx(sum(map(PRICES.cost, both)), abs=1e-5)


async def test_two_short_calls_are_not_charged_as_a_long_one() -> None:
    """If long prompts have a higher price, each call's own length decides, for the cost and for
    what caching saved."""
    haiku, each = Prices("claude-haiku-5-5"), Usage(30_000, 2, 0, 30_000)
    account = accounts(1, prices=haiku)[1].open("a")
    await answered(account, each)
    await answered(account, each)
    assert account.bill()["cost"] == dollars(each, each, prices=haiku)
    assert account.bill()["saved"] == pytest.approx(2 * haiku.saved(each))


async def test_a_call_of_which_nothing_is_known_costs_its_input_at_the_cache_write_price() -> None:
    """Without a count from Claude, a token a byte is assumed, none of them cached."""
    account = accounts(1)[1].open("a")
    await account.call(HI)
    await account.settle()
    assert (
        account.bill()["cost"]
        == account.bill()["assumed"]
        == dollars(Usage(0, MARKS, cache_write_tokens=input_bound()))
    )


def input_bound() -> int:
    return MOST.input_tokens + MOST.cache_write_tokens


async def test_nothing_is_used_after_a_reply_has_ended() -> None:
    """The receipt and the ledger have the same cost, even if the ledger is written much later."""
    clock = Ticking()
    budget, all_accounts = accounts(1, clock)
    account = all_accounts.open("a")
    (await account.call(HI)).count(Usage(25, 1))
    clock.now += 2
    account.close()
    cost = account.bill()["cost"]
    clock.now += 60
    await account.settle()
    assert account.bill()["cost"] == cost == dollars(Usage(25, 200))
    assert budget.spent() == pytest.approx(cost, abs=1e-5)


async def test_settling_twice_counts_once() -> None:
    """Settling is idempotent."""
    budget, all_accounts = accounts(1)
    account = all_accounts.open("a")
    await answered(account, Usage(1_000, 100))
    await account.settle()
    await account.settle()
    assert budget.spent() == pytest.approx(PRICES.cost(Usage(1_000, 100)), abs=1e-5)


async def test_a_shorter_question_may_still_be_paid_for() -> None:
    """A visitor who could still ask something shorter does not read that the money is used up."""
    _, all_accounts = accounts(WORST * 2)
    first = all_accounts.open("a")
    await answered(first, Usage(0, 500))
    await first.settle()
    with pytest.raises(TooLittleLeft) as caught:
        await all_accounts.open("a").call((Message("user", "l" * 3_000),))
    assert caught.value.retry_after
    await all_accounts.open("a").call(HI)


async def test_a_visitors_own_account_reserves_nothing_of_the_owners() -> None:
    """The receipt has a cost, and the budget has none."""
    budget, all_accounts = accounts(1)
    account = all_accounts.own("a")
    await answered(account, Usage(1_000, 100))
    await account.settle()
    assert (budget.spent(), account.bill()["own_key"]) == (0, True)
    assert account.bill()["cost"] == dollars(Usage(1_000, 100))
