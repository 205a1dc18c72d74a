"""Measures StreamChat beside others, on this machine alone: `python -m benchmarks --help`."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.claude import Claude
from benchmarks.contestants import ALL
from benchmarks.plan import Clock, Plan
from benchmarks.report import PARTS, Report

LIMIT = 600.0  # seconds


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", default=",".join(PARTS), help=f"some of {','.join(PARTS)} (default: all)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="whether it runs at all; the numbers say little"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("benchmarks/out"),
        help="the folder for results.json and tabs.svg",
    )
    options = parser.parse_args()
    if not Path("/proc/self/stat").exists():
        parser.error("what a process costs is read from Linux's /proc, and there is none here")
    named = options.only.split(",")
    if unknown := set(named) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    options.only = [part for part in PARTS if part in named]
    return options


def measured(parts: Sequence[str], plan: Plan) -> Report:
    report = Report()
    with Claude.running() as claude:
        for together in [parts] if plan.one_server else [[part] for part in parts]:
            for contestant in ALL:
                if contestant.installed:
                    report.add(contestant, claude, plan, together)
        report.note(f"Claude's own words were {1000 * claude.latest():.0f} ms late at most")
    others = [
        step["others"]
        for result in report.results.values()
        if result
        for step in result.get("steps", ())
    ]
    report.note(
        f"other programs kept up to {max(others, default=0):.1f} processors busy while tabs were"
        " measured"
    )
    return report


def main() -> int:
    options = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    clock = Clock(LIMIT)
    report = measured(options.only, Plan.quick(clock) if options.quick else Plan(clock))
    report.save(options.out)
    print(report)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
