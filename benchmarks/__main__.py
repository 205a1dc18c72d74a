"""Measures StreamChat beside others, on this machine alone: `python -m benchmarks --help`."""

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from benchmarks import page, route, startup, tabs, turns
from benchmarks.chart import chart
from benchmarks.claude import Claude
from benchmarks.contestants import ALL, OURS, Contestant
from benchmarks.plan import Clock, OutOfTime, Plan
from benchmarks.server import Server
from benchmarks.table import table

LIMIT = 600.0  # seconds

Measure = Callable[[Contestant, Server, Claude, Plan], dict[str, Any]]
Fits = Callable[[Contestant], bool]
PARTS: Mapping[str, Sequence[tuple[str, Measure, Fits]]] = {
    "http": [
        ("POST /api/streaming-chat", route.measure, lambda contestant: contestant.http),
        ("a reply on the page protocol", turns.reply, lambda contestant: contestant.gradio),
        ("a late turn", turns.late, lambda contestant: contestant is OURS),
    ],
    "tabs": [
        ("a rush", tabs.rush, lambda contestant: contestant.gradio),
        ("the most tabs", tabs.most, lambda contestant: contestant.gradio),
    ],
    "page": [("the page", page.measure, lambda contestant: contestant.box is not None)],
    "startup": [("start and idleness", startup.measure, lambda contestant: contestant.box is not None)],
}


class Report:
    """What was measured of whom, and what was not and why."""

    def __init__(self) -> None:
        self.results: dict[str, dict[str, Any]] = {contestant.name: {} for contestant in ALL}
        self.notes: list[str] = []

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)
        tell(sentence)

    def add(self, contestant: Contestant, claude: Claude, plan: Plan, parts: Sequence[str]) -> None:
        """Measures these parts on one server."""
        with ExitStack() as stack:
            server = None
            for what, measure, _ in (each for part in parts for each in PARTS[part] if each[2](contestant)):
                with self._attempt(f"{contestant.name}: {what}"):
                    server = server or stack.enter_context(contestant.running(claude))
                    values = measure(contestant, server, claude, plan)
                    self.results[contestant.name] |= json.loads(json.dumps(values, default=plain))

    @contextmanager
    def _attempt(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        except OutOfTime:
            self.note(f"{what}: skipped, for time was over")
        except Exception as error:  # noqa: BLE001 - whatever one of them fails with, the others are measured
            self.note(f"{what}: failed with {type(error).__name__}: {error}")
        else:
            tell(f"{what}: {time.monotonic() - began:.0f} s")


def plain(value: Any) -> Any:
    assert is_dataclass(value)
    assert not isinstance(value, type)
    return asdict(value)


def tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {','.join(PARTS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="whether it runs at all; the numbers say little")
    parser.add_argument(
        "--out", type=Path, default=Path("benchmarks/out"), help="the folder for results.json and tabs.svg"
    )
    options = parser.parse_args()
    named = options.only.split(",")
    if unknown := set(named) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    options.only = [part for part in PARTS if part in named]
    return options


def measured(parts: Sequence[str], plan: Plan) -> Report:
    report = Report()
    for contestant in ALL:
        if not contestant.installed:
            report.note(f"{contestant.name}: not installed")
    with Claude.running() as claude:
        for together in [parts] if plan.one_server else [[part] for part in parts]:
            for contestant in ALL:
                if contestant.installed:
                    report.add(contestant, claude, plan, together)
        report.note(f"Claude's own words were {1000 * claude.latest():.0f} ms late at most")
    others = [step["others"] for result in report.results.values() for step in result.get("steps", ())]
    report.note(f"other programs kept up to {max(others, default=0):.1f} processors busy while tabs were measured")
    return report


def save(report: Report, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps({"results": report.results, "notes": report.notes}, indent=1))
    steps = {name: result["steps"] for name, result in report.results.items() if result.get("steps")}
    if steps:
        lines = {name: [(step["tabs"], step["p99"]) for step in each] for name, each in steps.items()}
        (folder / "tabs.svg").write_text(chart(lines))


def main() -> int:
    options = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    clock = Clock(LIMIT)
    report = measured(options.only, Plan.quick(clock) if options.quick else Plan(clock))
    save(report, options.out)
    print(table(report.results), *(f"* {note}" for note in report.notes), sep="\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
