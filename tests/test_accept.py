import pytest

from streamchat.web.accept import preference

EVENTS, TEXT = "text/event-stream", "text/plain"

CASES: dict[str, tuple[list[str], tuple[float, bool], tuple[float, bool]]] = {
    "no line": ([], (1, False), (1, False)),
    "an empty line": ([""], (1, False), (1, False)),
    "anything": (["*/*"], (1, False), (1, False)),
    "anything, as Java says it": (["text/html, *; q=.2"], (0.2, False), (0.2, False)),
    "any text": (["text/*;q=0.5"], (0.5, False), (0.5, False)),
    "one type": ([EVENTS], (1, True), (0, False)),
    "in any case": (["Text/Event-Stream"], (1, True), (0, False)),
    "with a parameter": (["text/event-stream; charset=utf-8;Q=0.3"], (0.3, True), (0, False)),
    "with a comma in a parameter": (
        ['text/html;a="x,text/event-stream", text/plain'],
        (0, False),
        (1, True),
    ),
    "refused": (["text/event-stream;q=0, */*"], (0, True), (1, False)),
    "the more specific range counts": (
        ["*/*;q=0.9, text/*;q=0.2, text/plain;q=0.1"],
        (0.2, False),
        (0.1, True),
    ),
    "on several lines": (["text/plain;q=0.5", "text/event-stream"], (1, True), (0.5, True)),
    "something else": (["application/json"], (0, False), (0, False)),
    "no number": (
        ["text/event-stream;q=high, text/plain;q=nan, */*;q=0.1"],
        (0.1, False),
        (0.1, False),
    ),
    "too much": (["text/event-stream;q=1.5"], (1, True), (0, False)),
    "an open quote": (['text/plain;a="x, text/event-stream'], (0, False), (1, True)),
}


@pytest.mark.parametrize("case", CASES)
def test_a_clients_preference_is_read(case: str) -> None:
    """The quality of events and of text, and whether `Accept` names them."""
    lines, events, text = CASES[case]
    assert (preference(lines, EVENTS), preference(lines, TEXT)) == (events, text)
