"""Everything that must hold before a change is done: lint, format, types, tests.

`--fast` leaves out the tests that start a browser or another process, which are most of the time
and few of the tests. All other arguments go to pytest: `-k stop`, or `-n 0` for one test after the
other.
"""

import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parent.parent
CHECKS = (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"])
# one worker more than there are processors, as tests of pages mostly wait; a worker that is done
# takes over from others
PROCESSORS = os.cpu_count() or 1
PYTEST = ["pytest", "-n", str(PROCESSORS + 1), "--dist", "worksteal"]
# without pages, tests hardly wait
FAST = ["-m", "not process", "-n", str(PROCESSORS)]


def main(arguments: list[str]) -> int:
    if absent := missing():
        return refuse(
            f"{', '.join(absent)} missing; run: {sys.executable} -m pip install -r"
            " tests/requirements.txt"
        )
    if "--fast" in arguments:
        arguments.remove("--fast")
        return first_failure([*CHECKS, [*PYTEST, *FAST, *arguments]])
    from tests import browser  # noqa: PLC0415 - stands on Playwright, which may be what was missing

    try:
        os.environ["CHROMIUM"] = browser.find() or browser.install()
    except browser.NoBrowser as error:
        return refuse(str(error))
    return first_failure([*CHECKS, [*PYTEST, *arguments]])


def missing() -> list[str]:
    lines = [(ROOT / name).read_text() for name in ("requirements.txt", "tests/requirements.txt")]
    return [
        name
        for name in re.findall(r"^\w[\w.-]*", "\n".join(lines), re.MULTILINE)
        if not installed(name)
    ]


def installed(package: str) -> bool:
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


def refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


def first_failure(modules: list[list[str]]) -> int:
    """Runs each module as `python -m` until one fails; its exit code, or 0."""
    for module in modules:
        print(f"\n== {' '.join(module)}", flush=True)
        if code := subprocess.run(
            [sys.executable, "-m", *module], cwd=ROOT, check=False
        ).returncode:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
