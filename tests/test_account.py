import pytest

from streamchat.account import Account, Accounts
from streamchat.budget import Budget
from streamchat.errors import DayIsSpent
from streamchat.events import Done, Event, Message, Notice, Text, Thinking, Usage
from streamchat.prices import Prices, written
from streamchat.reply import Reply
from streamchat.store import Store
from tests.hand import Hand, settle

HI = (Message("user", "hi"),)
PRICES = Prices("claude-sonnet-5-5")
BUSY = Notice("Claude is busy.", passing=True)
WORST = PRICES.worst(HI, "Be brief.", 1_000)


def accounts(money: float) -> tuple[Budget, Accounts]:
    budget = Budget(Store(""), daily=money, visitor=None)
    return budget, Accounts(budget, PRICES, "Be brief.", 1_000)


def begun(account: Account) -> Hand:
    """What says the account's reply."""
    hand = Hand()
    account.reply = Reply(hand.stream(), linger=60)
    return hand


async def with_a_reply(account: Account, *events: Event) -> None:
    """The account's reply says these events, and is stopped if none of them is an end."""
    begun(account).say(*events)
    await ended(account)


async def ended(account: Account) -> None:
    """The account's reply has said everything, and was stopped if that was no end."""
    await settle()
    assert account.reply
    account.reply.stop()
    await account.reply.closed()


def dollars(*usages: Usage, prices: Prices = PRICES) -> object:
    """What calls cost of which each used so much."""
    return pytest.approx(sum(map(prices.cost, usages)), abs=1e-9)


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


async def test_a_call_that_was_turned_away_is_not_paid_for_once_another_is_answered() -> None:
    """However long the question, who was turned away first pays for the answer only."""
    budget, all_accounts = accounts(1)
    account = all_accounts.open("a")
    question = (Message("user", "word " * 10_000),)
    await account.call(question)
    hand = begun(account)
    await settle()
    await account.call(question)
    usage = Usage(5, 5, 0, 10_000)
    hand.say(usage, Text("Yes."), Done("end_turn", usage))
    await ended(account)
    await account.settle()
    assert account.bill()["cost"] == dollars(usage)
    assert budget.spent() == pytest.approx(PRICES.cost(usage), abs=1e-5)


async def test_a_stop_while_claude_is_too_busy_costs_nothing() -> None:
    """Who gives up between two calls of which the first was turned away has used nothing."""
    account = accounts(1)[1].open("a")
    await account.call(HI)
    await with_a_reply(account, BUSY)
    assert account.bill()["cost"] == 0


async def test_each_part_of_an_answer_that_broke_off_is_paid_for() -> None:
    """The words before the break are estimated; what Claude counts of those after it does not cover them."""
    account = accounts(1)[1].open("a")
    await account.call(HI)
    hand = begun(account)
    hand.say(Usage(25, 1), Text("word " * 200), BUSY)
    await settle()
    await account.call(HI)
    hand.say(Usage(50, 2), Text("end"), Usage(50, 6_001), Done("end_turn", Usage(50, 6_001)))
    await ended(account)
    assert account.bill()["cost"] == dollars(Usage(25, written("word " * 200)), Usage(25, 6_000))


async def test_two_short_calls_are_not_charged_as_a_long_one() -> None:
    """Where long prompts are dearer, it is the length of each call that counts, for the cost and for what was saved."""
    haiku, each = Prices("claude-haiku-5-5"), Usage(30_000, 2, 0, 30_000)
    account = Accounts(None, haiku, "", 1_000).open("a")
    await account.call(HI)
    hand = begun(account)
    hand.say(each, Text("Half"), BUSY)
    await settle()
    await account.call(HI)
    hand.say(each + each, Done("end_turn", each + each))
    await ended(account)
    assert account.bill()["cost"] == dollars(each, each, prices=haiku)
    assert account.bill()["saved"] == pytest.approx(2 * haiku.saved(each))


async def test_a_stop_before_a_continuation_begins_is_charged_for_what_was_sent() -> None:
    """The second question was on its way as well."""
    account = accounts(1)[1].open("a")
    await account.call(HI)
    hand = begun(account)
    hand.say(Usage(25, 1), Text("Half"), BUSY)
    await settle()
    await account.call(HI)
    await ended(account)
    assert account.bill()["cost"] == dollars(Usage(25, 2), Usage(written("Be brief.hi")))


async def test_a_stopped_reply_is_charged_for_what_was_written() -> None:
    """Claude counts the words it wrote at the end only; where a stop came first, they are counted here."""
    account = accounts(1)[1].open("a")
    await account.call(HI)
    await with_a_reply(account, Usage(25, 1), Thinking("Hm. " * 10), Text("word " * 100))
    assert account.bill()["cost"] == dollars(Usage(25, written("Hm. " * 10 + "word " * 100)))


async def test_a_reply_stopped_before_claude_said_anything_is_charged_for_what_was_sent() -> None:
    """The question was on its way: it counts, also where no count of it came back."""
    account = accounts(1)[1].open("a")
    await account.call(HI)
    await with_a_reply(account)
    assert account.bill()["cost"] == dollars(Usage(written("Be brief.hi")))


@pytest.mark.parametrize("output", [0, 1, 8])
async def test_an_answer_whose_count_never_came_is_not_free(output: int) -> None:
    """Where something between here and Claude counts no tokens, or only the first, the money ends all the same."""
    account = accounts(1)[1].open("a")
    await account.call(HI)
    usage, answer = Usage(0, output), "word " * 2_000
    await with_a_reply(account, usage, Text(answer), Done("end_turn", usage))
    assert account.bill()["cost"] == dollars(Usage(written("Be brief.hi"), written(answer)))


async def test_where_claude_counts_its_count_is_the_cost() -> None:
    """No estimate makes an answer dearer, also one whose tokens are long ones."""
    account = accounts(1)[1].open("a")
    await account.call(HI)
    usage = Usage(0, 100, 0, 9)
    await with_a_reply(account, usage, Text("internationalization " * 100), Done("end_turn", usage))
    assert account.bill()["cost"] == dollars(usage)


async def test_words_without_a_count_are_paid_for_with_what_was_sent() -> None:
    """An answer that breaks off before anything was counted is charged for both ways."""
    account = accounts(1)[1].open("a")
    await account.call(HI)
    await with_a_reply(account, Text("Half"), BUSY)
    assert account.bill()["cost"] == dollars(Usage(written("Be brief.hi"), written("Half")))


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
