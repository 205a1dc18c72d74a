"""Reports each measurement, and the reason for each that is missing."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from benchmarks import page, route, saved, startup, tabs, turns
from benchmarks.chart import chart
from benchmarks.claude import Claude
from benchmarks.contestants import ALL, CHAT_INTERFACE, OURS, STREAMLIT, Contestant
from benchmarks.plan import OutOfTime, Plan
from benchmarks.server import Server
from benchmarks.table import table

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
    "startup": [("start and idleness", startup.measure, lambda contestant: contestant.gradio)],
    "page": [
        ("the page", page.measure, lambda contestant: contestant.box is not None),
        ("a long answer", page.long, lambda contestant: contestant in (OURS, CHAT_INTERFACE)),
        (
            "the page on a phone",
            page.slowly,
            lambda contestant: contestant in (OURS, CHAT_INTERFACE, STREAMLIT),
        ),
        ("saved conversations", saved.measure, lambda contestant: contestant is OURS),
    ],
}


class Report:
    def __init__(self) -> None:
        self.results: dict[str, dict[str, Any] | None] = {
            one.name: {} if one.installed else None for one in ALL
        }
        self.notes: list[str] = []

    def __str__(self) -> str:
        return "\n".join([table(self.results), "", *(f"* {note}" for note in self.notes)])

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)
        tell(sentence)

    def add(self, contestant: Contestant, claude: Claude, plan: Plan, parts: Sequence[str]) -> None:
        """Measures these parts on one server."""
        with ExitStack() as stack:
            server = None
            for what, measure, _ in (
                each for part in parts for each in PARTS[part] if each[2](contestant)
            ):
                with self._attempt(f"{contestant.name}: {what}"):
                    server = server or stack.enter_context(contestant.running(claude))
                    values = measure(contestant, server, claude, plan)
                    self.results[contestant.name] = {
                        **(self.results[contestant.name] or {}),
                        **plain(values),
                    }

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        saved = {"results": self.results, "notes": self.notes}
        (folder / "results.json").write_text(json.dumps(saved, indent=1), encoding="utf-8")
        if steps := {
            name: result["steps"]
            for name, result in self.results.items()
            if result and result.get("steps")
        }:
            lines = {
                name: [(step["tabs"], step["p99"]) for step in each] for name, each in steps.items()
            }
            (folder / "tabs.svg").write_text(chart(lines), encoding="utf-8")

    @contextmanager
    def _attempt(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        except OutOfTime:
            self.note(f"{what}: skipped, for time was over")
        # whatever one of them fails with, the others are measured
        except Exception as error:  # noqa: BLE001
            self.note(f"{what}: failed with {type(error).__name__}: {error}")
        else:
            tell(f"{what}: {time.monotonic() - began:.0f} s")


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same of dicts, lists and numbers only."""
    plainer: dict[str, Any] = json.loads(json.dumps(values, default=_fields))
    return plainer


def _fields(value: Any) -> dict[str, Any]:
    assert is_dataclass(value)
    assert not isinstance(value, type)
    return asdict(value)


def tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
