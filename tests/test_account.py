import pytest

from streamchat.account import Account, Accounts, estimated
from streamchat.budget import Budget
from streamchat.errors import DayIsSpent
from streamchat.events import Done, Event, Message, Text, Thinking, Usage
from streamchat.prices import Prices, written
from streamchat.reply import Reply
from streamchat.store import Store
from tests.hand import Hand, settle

HI = (Message("user", "hi"),)
PRICES = Prices("claude-sonnet-5-5")
WORST = PRICES.worst(HI, "Be brief.", 1_000)


def accounts(money: float) -> tuple[Budget, Accounts]:
    budget = Budget(Store(""), daily=money, visitor=None)
    return budget, Accounts(budget, PRICES, "Be brief.", 1_000)


async def with_a_reply(account: Account, *events: Event) -> Reply:
    """The account's reply, which has said these events, and was stopped if none of them is an end."""
    hand = Hand()
    account.reply = Reply(hand.stream(), linger=60)
    hand.say(*events)
    if not any(isinstance(event, Done) for event in events):
        await settle()
        account.reply.stop()
    await account.reply.closed()
    return account.reply


async def test_the_worst_case_is_set_aside_and_the_true_cost_counted() -> None:
    """While a reply runs its worst case is spent; once it has ended, what Claude counted is."""
    budget, all_accounts = accounts(1)
    account = all_accounts.open("a")
    await account.call(HI)
    assert budget.spent() == pytest.approx(WORST, abs=1e-5)
    usage = Usage(25, 42)
    await with_a_reply(account, usage, Text("Hello"), Done("end_turn", usage))
    await account.settle()
    assert budget.spent() == pytest.approx(PRICES.cost(usage), abs=1e-5)


async def test_a_further_call_has_to_be_paid_for_too() -> None:
    """Going on after a break is refused where there is no money for it, and what was spent before stays spent."""
    budget, all_accounts = accounts(WORST * 1.01)
    account = all_accounts.open("a")
    await account.call(HI)
    usage = Usage(500, 400)
    await with_a_reply(account, usage, Text("Half"))
    with pytest.raises(DayIsSpent):
        await account.call(HI)
    await account.settle()
    assert budget.spent() == pytest.approx(PRICES.cost(usage), abs=1e-5)


async def test_a_call_that_was_turned_away_costs_nothing_and_makes_room_for_the_next() -> None:
    """While Claude is busy, trying again does not pile up reservations."""
    budget, all_accounts = accounts(WORST * 1.01)
    account = all_accounts.open("a")
    for _ in range(4):
        await account.call(HI)
    assert budget.spent() == pytest.approx(WORST, abs=1e-5)


async def test_a_stopped_reply_is_charged_for_what_was_written() -> None:
    """Claude counts the words it wrote at the end only; where a stop came first, they are counted here."""
    account = accounts(1)[1].open("a")
    await account.call(HI)
    reply = await with_a_reply(account, Usage(25, 1), Thinking("Hm. " * 10), Text("word " * 100))
    assert estimated(reply, "") == Usage(25, written("Hm. " * 10 + "word " * 100))


async def test_a_reply_stopped_before_claude_said_anything_is_charged_for_what_was_sent() -> None:
    """The question was on its way: it counts, also where no count of it came back."""
    account = accounts(1)[1].open("a")
    await account.call(HI)
    reply = await with_a_reply(account)
    assert estimated(reply, "Be brief.hi") == Usage(written("Be brief.hi"))


async def test_settling_twice_counts_once() -> None:
    """However often a reply is settled, it is paid for once."""
    budget, all_accounts = accounts(1)
    account = all_accounts.open("a")
    await account.call(HI)
    usage = Usage(1_000, 100)
    await with_a_reply(account, usage, Done("end_turn", usage))
    await account.settle()
    await account.settle()
    assert budget.spent() == pytest.approx(PRICES.cost(usage), abs=1e-5)
