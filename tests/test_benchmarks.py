import asyncio
from xml.etree import ElementTree

import pytest

from benchmarks import route
from benchmarks.chart import chart
from benchmarks.claude import Claude
from benchmarks.contestants import BARE, OURS
from benchmarks.hall import Hall
from benchmarks.lag import lags, percentile, seen_in
from benchmarks.plan import Clock, OutOfTime, Plan
from benchmarks.table import table
from benchmarks.words import ALONE, Order


def test_an_order_is_understood_wherever_it_stands_in_a_question() -> None:
    """The last order counts, because the question may hold those of earlier turns."""
    order = Order(500, 50, "q", 17)
    assert Order.last_in(f'{{"content": "{Order(9, 9)}"}}, {{"text": "{order}"}}') == order


def test_each_word_names_its_number_and_each_is_due_at_its_time() -> None:
    """The lag of every word is known, however many of them come at once."""
    order = Order(3, 50, "w")
    assert order.text() == "w0 w1 w2 "
    assert [order.due(number) for number in range(3)] == [0, 0.02, 0.04]


def test_a_long_answer_has_a_line_for_each_number() -> None:
    """Ten thousand words of a letter of their own are ten thousand lines."""
    assert len(Order(10_000, 0, ALONE).text().splitlines()) == 10_000
    assert "l17 " in Order(10_000, 0, ALONE).word(17)


def test_a_percentile_is_one_of_the_values() -> None:
    """The 99th percentile of a hundred values is the second highest."""
    assert percentile(range(100), 0.99) == 99
    assert percentile([3, 1, 2], 0.5) == 2


def test_the_lag_of_a_word_counts_from_when_it_was_due() -> None:
    """Three words that are shown in one frame have three lags."""
    assert lags(Order(3, 10), 100.0, [(100.0, 0), (100.25, 2)]) == pytest.approx([0, 0.15, 0.05])


def test_words_that_never_came_are_no_measure() -> None:
    """A server that loses the end of a reply is not counted as a fast one."""
    with pytest.raises(ValueError, match="2 of 3 words"):
        lags(Order(3, 10), 100.0, [(100.0, 1)])


def test_a_word_counts_from_when_its_whole_number_is_there() -> None:
    """`w1` may be the beginning of `w12`."""
    assert seen_in("w", [(1.0, b"w0 w1"), (2.0, b"2 w"), (3.0, b"13 ")]) == [
        (1.0, 0),
        (2.0, 12),
        (3.0, 13),
    ]


def test_the_table_leaves_cells_without_a_measurement_open() -> None:
    """A contestant without a page has no value in the rows about pages."""
    first, _, row = table({"we": {"page": {"first": 0.12}}, "they": {}}).splitlines()
    assert first == "|  | we | they |"
    assert row.endswith("| 120 ms |  |")


def test_the_table_names_contestants_that_are_not_installed() -> None:
    """A missing contestant is noted under its name, and is no failure."""
    assert table({"we": {"page": {"first": 0.12}}, "they": None}).endswith(
        "|  |  | not installed |"
    )


def test_the_table_says_how_many_tabs_were_in_time() -> None:
    """The last step in time counts, with a plus if no larger step was tried."""
    steps = [{"tabs": 4, "p99": 0.1}, {"tabs": 8, "p99": 0.2}]
    assert "| 8+ |" in table({"we": {"steps": steps}})
    assert "| 8 |" in table({"we": {"steps": [*steps, {"tabs": 12, "p99": 0.9}]}})


def test_the_chart_is_a_picture_with_every_name_in_it() -> None:
    """The chart is well-formed XML, as GitHub needs it."""
    picture = ElementTree.fromstring(
        chart({"we": [(4, 0.01), (8, 0.02)], "they": [(4, 0.01), (8, 20.0)]})
    )
    assert {"we", "they"} <= set(picture.itertext())


def test_parts_without_time_are_not_begun() -> None:
    """The whole run is bounded, however long its parts take."""
    Clock(10).needs(5)
    with pytest.raises(OutOfTime):
        Clock(10).needs(15)


@pytest.mark.process
def test_the_route_is_measured_over_real_http() -> None:
    """Every word of every stream arrives, and costs something."""
    with Claude.running() as claude, BARE.running(claude) as server:
        cost = route.measure(BARE, server, claude, Plan.quick(Clock(60)))["route"]
    assert 0 < cost["p50"] <= cost["p99"] < 1


@pytest.mark.process
def test_pages_are_measured_over_the_protocol_of_the_page() -> None:
    """Two pages ask, each with its own session, and each has all of its words."""
    with Claude.running() as claude, OURS.running(claude) as server:
        crowd = asyncio.run(Hall(OURS, server, claude).crowd(2, 10, 50))
    assert crowd.tabs == 2
    assert 0 < crowd.first_after_claude < crowd.first_after_enter
    assert crowd.bytes_per_reply > 1000
