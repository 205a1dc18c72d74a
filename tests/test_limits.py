import asyncio
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamchat import errors
from streamchat.errors import ChatError, Crowded, Refused, TooManyAtOnce, TooOften
from streamchat.texts import text, worded
from streamchat.visitors.limits import Admission, Limits, rate

HOUR, DAY = 3_600.0, 86_400.0


class Asking:
    """Limits on a clock that the test sets; by default only one limit is low enough to matter."""

    def __init__(
        self, rate: str = "off", *, visitor_replies: int = 10_000, max_replies: int = 10_000
    ) -> None:
        self.now = 1_000.0
        self.limits = Limits(
            rate=rate,
            visitor_replies=visitor_replies,
            max_replies=max_replies,
            clock=lambda: self.now,
        )

    def asks(self, visitor: str | None = "anna", *, times: int = 1) -> None:
        """Asks so many times, and ends each answer before the next question."""
        for _ in range(times):
            self.limits.admit(visitor).leave()

    def admitted(self, visitor: str | None = "anna") -> bool:
        try:
            self.asks(visitor)
        except Refused:
            return False
        return True

    def wait(self, visitor: str | None = "anna") -> float | None:
        """The seconds that a refused visitor is told to wait."""
        with pytest.raises(Refused) as caught:
            self.limits.admit(visitor)
        return caught.value.retry_after


@pytest.mark.parametrize(
    "notation", ["3/minute", "3 per minute", "3/1 minute", "3/MINUTE", " 3/60seconds "]
)
def test_a_rate_means_what_it_says(notation: str) -> None:
    """Three questions a minute are answered and the fourth is refused, in every notation of the
    rate."""
    asking = Asking(rate(notation))
    asking.asks(times=3)
    with pytest.raises(TooOften):
        asking.limits.admit("anna")


def test_a_refusal_says_when_to_come_back() -> None:
    """There is an answer at the second that was named, and not earlier."""
    asking = Asking("2/minute")
    asking.asks()
    asking.now += 15
    asking.asks()
    asking.now += 5
    assert asking.wait() == 40
    asking.now += 39.9
    assert not asking.admitted()
    asking.now += 0.1
    assert asking.admitted()
    assert asking.wait() == 15


def test_no_minute_has_more_than_its_share() -> None:
    """Windows begin with a question, not with the clock's minute, so that nobody asks twice as
    often around its turn."""
    asking = Asking("10/minute")
    asking.now = 59.0
    asking.asks(times=10)
    asking.now = 61.0
    assert not asking.admitted()


def test_every_one_of_several_rates_holds() -> None:
    """A visitor within the minute's rate still reaches the day's, and reads how long the longer one
    lasts."""
    asking = Asking("2/minute;5/day")
    for _ in range(2):
        asking.asks(times=2)
        asking.now += 60
    asking.asks()
    assert asking.wait() == DAY - 120
    asking.now += DAY - 120
    asking.asks(times=2)
    assert asking.wait() == 60


def test_a_refusal_costs_nothing() -> None:
    """Ten refused questions do not delay the next answer."""
    asking = Asking("1/minute;3/day")
    asking.asks()
    for _ in range(10):
        asking.now += 5
        assert not asking.admitted()
    asking.now += 10
    assert asking.admitted()
    asking.now += 60
    assert asking.admitted()


@pytest.mark.parametrize("refusal", [TooManyAtOnce, Crowded])
def test_a_refusal_of_another_kind_costs_nothing_either(refusal: type[ChatError]) -> None:
    """Only answered questions count for the rate, whatever the reason of the refusals."""
    asking = Asking("2/hour", visitor_replies=1, max_replies=1)
    place = asking.limits.admit("anna" if refusal is TooManyAtOnce else "bert")
    for _ in range(5):
        with pytest.raises(refusal):
            asking.limits.admit("anna")
    place.leave()
    assert asking.admitted()


def test_one_visitor_does_not_use_up_anothers_share() -> None:
    """However often Anna asks, Bert is answered."""
    asking = Asking("1/hour")
    asking.asks("anna")
    assert not asking.admitted("anna")
    assert asking.admitted("bert")


@pytest.mark.parametrize("notation", ["", " ", "off", "OFF"])
def test_no_rate_is_no_limit(notation: str) -> None:
    """With an empty rate or `off` there is no limit."""
    Asking(rate(notation)).asks(times=1_000)


def test_a_visitor_has_so_many_answers_at_once() -> None:
    """A further question is refused without a time to come back; others are not affected."""
    asking = Asking(visitor_replies=2)
    first, _second = asking.limits.admit("anna"), asking.limits.admit("anna")
    with pytest.raises(TooManyAtOnce) as caught:
        asking.limits.admit("anna")
    assert worded(caught.value).startswith("You have 2 answers running.")
    assert caught.value.retry_after is None
    assert asking.admitted("bert")
    first.leave()
    assert asking.admitted("anna")


def test_a_single_answer_is_told_as_one() -> None:
    """With a limit of one answer the sentence has no number."""
    asking = Asking(visitor_replies=1)
    asking.limits.admit("anna")
    with pytest.raises(TooManyAtOnce) as caught:
        asking.limits.admit("anna")
    assert worded(caught.value).startswith("You have an answer running.")


def test_all_together_have_so_many_places() -> None:
    """When all places are taken, further visitors are asked to come back in a few seconds; an ended
    answer frees a place."""
    asking = Asking(max_replies=2)
    asking.limits.admit("anna")
    place = asking.limits.admit("bert")
    assert asking.wait("carl") == 5
    place.leave()
    assert asking.admitted("carl")


def test_without_a_visitor_only_the_places_count() -> None:
    """Without a visitor's name only the number of places is limited."""
    asking = Asking("1/day", visitor_replies=1, max_replies=3)
    asking.asks(None, times=10)
    for _ in range(3):
        asking.limits.admit(None)
    with pytest.raises(Crowded):
        asking.limits.admit(None)
    with pytest.raises(Crowded):
        asking.limits.admit("anna")
    assert asking.limits.throttled() == {}


def test_a_visitors_own_limit_is_named_first() -> None:
    """A visitor over their rate does not read of other limits."""
    asking = Asking("1/hour", visitor_replies=1, max_replies=1)
    asking.limits.admit("anna")
    with pytest.raises(TooOften):
        asking.limits.admit("anna")
    with pytest.raises(Crowded):
        asking.limits.admit("bert")


def test_a_place_is_left_once() -> None:
    """Leaving is idempotent: it frees one place."""
    asking = Asking(max_replies=2)
    place, _other = asking.limits.admit("anna"), asking.limits.admit("anna")
    place.leave()
    place.leave()
    asking.limits.admit("anna")
    with pytest.raises(Crowded):
        asking.limits.admit("anna")


async def test_a_crowd_gets_exactly_the_places_there_are() -> None:
    """Of two hundred questions at once, exactly as many are admitted as all and each visitor may
    have."""
    asking = Asking("4/minute", visitor_replies=3, max_replies=20)

    async def ask(number: int) -> Admission | ChatError:
        await asyncio.sleep(0)
        try:
            return asking.limits.admit(f"visitor {number % 10}")
        except Refused as refusal:
            return refusal

    outcomes = await asyncio.gather(*(ask(number) for number in range(200)))
    places = [outcome for outcome in outcomes if isinstance(outcome, Admission)]
    assert len(places) == 20
    assert {
        sum(place.visitor == f"visitor {number}" for place in places) for number in range(10)
    } == {2}
    for place in places:
        place.leave()
    outcomes = await asyncio.gather(*(ask(number) for number in range(200)))
    places = [outcome for outcome in outcomes if isinstance(outcome, Admission)]
    assert {
        sum(place.visitor == f"visitor {number}" for place in places) for number in range(10)
    } == {2}
    assert all(isinstance(outcome, Admission | TooOften) for outcome in outcomes)


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 20)), min_size=1, max_size=3),
    st.lists(st.integers(0, 8), max_size=40),
)
def test_a_visitor_is_refused_only_over_the_rate(
    rates: list[tuple[int, int]], pauses: list[int]
) -> None:
    """At any times, no window has more than its rate, no question within the rate is refused, and
    the named time is right."""
    asking = Asking(";".join(f"{amount}/{seconds} seconds" for amount, seconds in rates))
    answered: list[float] = []

    def fits(then: float) -> bool:
        return all(
            sum(then - each < seconds for each in answered) < amount for amount, seconds in rates
        )

    for pause in pauses:
        asking.now += pause
        throttled = asking.limits.throttled()
        if fits(asking.now):
            assert throttled == {}
            asking.asks()
            answered.append(asking.now)
        else:
            wait = asking.wait()
            assert throttled == {"anna": wait}
            assert wait is not None
            assert fits(asking.now + wait)
            assert not fits(asking.now + wait - 0.5)


def test_throttled_visitors_are_listed() -> None:
    """The list has the visitors over their rate with their seconds, and nobody else."""
    asking = Asking("2/minute")
    asking.asks("anna", times=2)
    asking.asks("bert")
    asking.now += 20
    assert asking.limits.throttled() == {"anna": 40}
    asking.now += 40
    assert asking.limits.throttled() == {}


def remembered(asking: Asking) -> tuple[int, int]:
    """The number of visitors and of their questions in memory."""
    return len(asking.limits._times), sum(map(len, asking.limits._times.values()))


@pytest.mark.parametrize(
    ("notation", "long_enough"), [("20/minute", 60), ("20/minute;300/day", DAY)]
)
def test_absent_visitors_are_forgotten(notation: str, long_enough: float) -> None:
    """A visitor is forgotten once none of their questions counts any more."""
    asking = Asking(notation)
    for number in range(1_000):
        asking.asks(f"visitor {number}")
    asking.asks("visitor 0")
    assert remembered(asking) == (1_000, 1_001)
    asking.now += long_enough - 1
    asking.asks("visitor 500")
    asking.now += 1
    asking.limits.throttled()
    assert remembered(asking) == (1, 2)


def test_a_regular_visitor_takes_bounded_memory() -> None:
    """Only the questions that still count are kept."""
    asking = Asking("20/minute")
    for _ in range(1_000):
        asking.asks()
        asking.now += 10
    assert remembered(asking) == (1, 6)


def test_ended_answers_take_no_memory() -> None:
    """Places that were left are not kept."""
    asking = Asking()
    for number in range(100):
        asking.asks(f"visitor {number}")
    assert not asking.limits._admissions
    assert remembered(asking) == (0, 0)


@pytest.mark.parametrize(
    "notation", ["", "off", "20/minute", "20/minute;300/day", "5 per 2 hours", "1/second, 9/hour"]
)
def test_a_good_rate_is_taken_as_it_is(notation: str) -> None:
    """A valid rate stays in the settings as it was written."""
    assert rate(notation) == notation


@pytest.mark.parametrize(
    "notation",
    [
        "20",
        "minute",
        "20/",
        "/minute",
        "20/fortnight",
        "20/minute;",
        "-1/minute",
        "1.5/minute",
        "on",
    ],
)
def test_a_bad_rate_is_refused_with_an_example(notation: str) -> None:
    """The sentence shows how a rate is written, and no internals."""
    with pytest.raises(ValueError, match=r"^it should be like 20/minute;300/day, or off$"):
        rate(notation)


def test_an_endless_number_is_refused_like_any_other_mistake() -> None:
    """A number that Python refuses to parse gets the same sentence."""
    with pytest.raises(ValueError, match=r"^it should be like 20/minute;300/day, or off$"):
        rate("9" * 9_999 + "/day")


def test_a_rate_of_nothing_is_refused() -> None:
    """A rate of zero is a mistake."""
    with pytest.raises(ValueError, match=r"^it should let everybody ask at least once$"):
        rate("20/minute;0/day")


@pytest.mark.parametrize("notation", ["1000/month", "9/year", "300/2 days", "300/25 hours"])
def test_a_rate_of_more_than_a_day_is_refused(notation: str) -> None:
    """A monthly rate is refused, because the count would be lost with the next start."""
    with pytest.raises(ValueError, match=r"^it should not look back further than a day$"):
        rate(notation)


@given(st.text(alphabet="0123456789/;, perminutehoday") | st.text())
def test_every_rate_is_either_used_or_refused(notation: str) -> None:
    """Any value of the setting is either used as a limit or refused with a sentence."""
    try:
        limits = Limits(rate=rate(notation), visitor_replies=1, max_replies=1, clock=lambda: 0)
    except ValueError as wrong:
        assert str(wrong).startswith("it should ")  # noqa: PT017 - not every text is wrong
    else:
        limits.admit("anna")


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    """The tree in the docstring has each error with its status."""
    drawn = dict(re.findall(r"── (\w+) +(\d{3})", errors.__doc__ or ""))
    kinds = [kind for kind in vars(errors).values() if hasattr(kind, "status")]
    assert drawn == {kind.__name__: str(kind.status) for kind in kinds}


def test_the_own_limits_are_told_apart_from_claudes() -> None:
    """Code, status and sentence tell whether this chat or Claude limits the rate."""
    assert (TooOften.code, TooOften.status) == ("too_often", 429)
    assert (TooManyAtOnce.code, TooManyAtOnce.status) == ("too_many_at_once", 429)
    assert (Crowded.code, Crowded.status) == ("crowded", 503)
    for one, other in pairwise([TooOften, TooManyAtOnce, Crowded, errors.RateLimited, errors.Busy]):
        assert worded(one()) != worded(other())


@pytest.mark.parametrize(
    ("rate", "asked", "told"),
    [
        ("20/minute;300/day", 18, ""),
        ("5/minute;10/day", 7, ""),
        ("5/minute;10/day", 8, "2 more messages today"),
        ("6/hour;10/day", 5, "1 more message this hour"),
        ("10/hour;10/day", 10, "No more messages this hour · No more messages today"),
        ("5 per 2 hours", 4, "1 more message in 2 hours"),
        ("off", 99, ""),
    ],
)
def test_limits_are_told_when_they_begin_to_matter(rate: str, asked: int, told: str) -> None:
    """Once a fifth of a window is left that takes an hour at least; earlier ones are over soon. It
    holds for one visitor, and is over with the window."""
    now = [0.0]
    limits = Limits(rate=rate, visitor_replies=99, max_replies=99, clock=lambda: now[0])
    for _ in range(asked):
        limits.admit("a").leave()
        now[0] += 61
    assert text("allowance", rates=limits.left("a"), left=None) == told
    now[0] += 86_400
    assert limits.left("a") == limits.left("b") == []
