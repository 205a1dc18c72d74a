"""Sentences for the person who starts the program."""

import sys


def say(line: str) -> None:
    print(line, flush=True)


def fail(sentence: str) -> SystemExit:
    """Says why the program ends; raise what it returns."""
    print(f"StreamChat cannot start: {sentence}", file=sys.stderr)
    return SystemExit(2)
