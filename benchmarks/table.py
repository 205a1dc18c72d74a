"""The measurements as a table in Markdown."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.tabs import TOO_LATE

# by contestant, None if it is not installed, then by measure
Results = Mapping[str, Mapping[str, Any] | None]


def seconds(value: float) -> str:
    if abs(value) < 0.001:
        return f"{value * 1_000_000:.0f} µs"
    return f"{value * 1000:.0f} ms" if abs(value) < 1 else f"{value:.1f} s"


def microseconds(value: float) -> str:
    return f"{value * 1_000_000:,.0f} µs"


def size(value: float) -> str:
    return f"{value / 1000:,.0f} kB" if value < 1_000_000 else f"{value / 1_000_000:,.0f} MB"


def percent(value: float) -> str:
    return f"{value:.1%}"


def most(steps: Sequence[Mapping[str, Any]]) -> str:
    """The most pages whose words came in time; with a + where more were not tried."""
    in_time = [step["tabs"] for step in steps if step["p99"] <= TOO_LATE]
    if not in_time:
        return f"< {steps[0]['tabs']}" if steps else "none"
    return f"{max(in_time)}" + ("+" if max(in_time) == steps[-1]["tabs"] else "")


Row = tuple[str, str, Callable[[Any], str]]
ROWS: Sequence[Row] = (
    ("**page in Chromium**: Enter to first word on the screen", "page.first", seconds),
    ("lag of a word on the screen, median", "page.p50", seconds),
    ("lag of a word on the screen, p99", "page.p99", seconds),
    ("last word on the screen after Claude's last", "page.last", seconds),
    ("main thread busy during the reply", "page.busy", seconds),
    ("layout shift over the reply (CLS)", "page.shift", "{:.3f}".format),
    ("**the same after earlier turns**: Enter to first word", "page_after_turns.first", seconds),
    ("lag, median", "page_after_turns.p50", seconds),
    ("lag, p99", "page_after_turns.p99", seconds),
    ("last word after Claude's last", "page_after_turns.last", seconds),
    ("main thread busy", "page_after_turns.busy", seconds),
    (
        "**a browser four times slower, as on a phone**: Enter to first word",
        "page_on_a_phone.first",
        seconds,
    ),
    ("lag, p99", "page_on_a_phone.p99", seconds),
    ("last word after Claude's last", "page_on_a_phone.last", seconds),
    ("main thread busy", "page_on_a_phone.busy", seconds),
    (
        "**an answer of 10,000 lines**: longest time the page does nothing else",
        "long_page.longest",
        seconds,
    ),
    ("main thread busy", "long_page.busy", seconds),
    ("last line on the screen after Claude's last", "long_page.last", seconds),
    (
        "**with 200 saved conversations**: from the address to the list on the screen",
        "saved.opened",
        seconds,
    ),
    ("switch to one of 100 turns, median", "saved.switched", seconds),
    ("switch to one of 100 turns, slowest", "saved.switched_slowest", seconds),
    ("**`POST /api/streaming-chat`**: server's CPU a word", "route.cpu_per_word", microseconds),
    ("lag, p99", "route.p99", seconds),
    ("**page protocol**: server's CPU a reply", "reply.cpu_per_reply", seconds),
    ("bytes over the wire a reply", "reply.bytes_per_reply", size),
    ("server's CPU a word, first turn", "first_turn.cpu_per_word", microseconds),
    ("server's CPU a word, late turn", "late_turn.cpu_per_word", microseconds),
    (f"**most tabs with p99 lag under {seconds(TOO_LATE)}**", "steps", most),
    ("rush: slowest first word after Claude's", "rush.first_after_claude", seconds),
    ("rush: slowest first word after Enter", "rush.first_after_enter", seconds),
    ("server's memory a tab", "memory_per_tab", size),
    ("**start** to first page", "startup.seconds", seconds),
    ("CPU while one page is open and nothing happens", "startup.idle", percent),
    ("memory then", "startup.memory", size),
)


def table(results: Results) -> str:
    """One column for each contestant, and the rows that any of them has a value for."""
    lines = [["", *results], ["---", *["---:"] * len(results)]]
    for label, path, shown in ROWS:
        values = [_value(result, path) for result in results.values()]
        if any(value is not None for value in values):
            lines.append([label, *("" if value is None else shown(value) for value in values)])
    if None in results.values():
        lines.append(
            ["", *("" if result is not None else "not installed" for result in results.values())]
        )
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _value(result: Mapping[str, Any] | None, path: str) -> Any:
    value: Any = result
    for name in path.split("."):
        value = value.get(name) if value else None
    return value
