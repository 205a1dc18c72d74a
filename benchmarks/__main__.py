"""Measures StreamChat beside others, on this machine alone: `python -m benchmarks --help`."""

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from benchmarks import page, route, startup, tabs, turns
from benchmarks.chart import chart
from benchmarks.claude import Claude
from benchmarks.contestants import ALL, Contestant
from benchmarks.plan import Clock, OutOfTime, Plan
from benchmarks.table import table

LIMIT = 600.0  # seconds

Measure = Callable[[Contestant, Claude, Plan], dict[str, Any]]
PARTS: Mapping[str, Sequence[tuple[Measure, Callable[[Contestant], bool]]]] = {
    "startup": [(startup.measure, lambda contestant: contestant.box is not None)],
    "http": [
        (route.measure, lambda contestant: contestant.http),
        (turns.measure, lambda contestant: contestant.gradio),
    ],
    "page": [(page.measure, lambda contestant: contestant.box is not None)],
    "tabs": [(tabs.measure, lambda contestant: contestant.gradio)],
}


class Report:
    """What was measured of whom, and what was not and why."""

    def __init__(self) -> None:
        self.results: dict[str, dict[str, Any]] = {contestant.name: {} for contestant in ALL}
        self.notes: list[str] = []

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)
        tell(sentence)

    def add(self, contestant: Contestant, measure: Measure, claude: Claude, plan: Plan) -> None:
        what = f"{measure.__module__.rpartition('.')[2]} of {contestant.name}"
        began = time.monotonic()
        try:
            self.results[contestant.name] |= json.loads(json.dumps(measure(contestant, claude, plan), default=plain))
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
    options.only = options.only.split(",")
    if unknown := set(options.only) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return options


def measured(only: Sequence[str], plan: Plan) -> Report:
    report = Report()
    installed = [contestant for contestant in ALL if contestant.installed]
    with Claude.running() as claude:
        for part in PARTS:
            for measure, fits in PARTS[part] if part in only else ():
                for contestant in filter(fits, installed):
                    report.add(contestant, measure, claude, plan)
        report.note(f"Claude's own words were {1000 * claude.latest():.0f} ms late at most")
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
