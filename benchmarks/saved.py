"""Measures what saved conversations cost the page: opening it with many, and switching."""

import json
from contextlib import closing
from typing import Any

from playwright.sync_api import Page

from benchmarks.claude import Claude
from benchmarks.contestants import Contestant
from benchmarks.lag import percentile
from benchmarks.page import SETTLED, chromium
from benchmarks.plan import Plan
from benchmarks.server import Server

# how an answer of a long conversation ends
LAST = "turn {turn} of conversation {number}"
WORDS = "The river is wide here, and the bridge above it is red. " * 8

IMPORT = """async (file) => {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch("conversations/import", { method: "POST", body: file, headers });
  if (!response.ok) throw new Error(await response.text());
}"""

# Seconds from a press on a conversation until its last words are on the screen.
SWITCH = """([title, words]) => new Promise((resolve) => {
  const { port1: painted, port2: painting } = new MessageChannel();
  const link = [...document.querySelectorAll("#chats .chat")].find((one) => one.title === title);
  const began = performance.now();
  painted.onmessage = () => resolve((performance.now() - began) / 1000);
  const there = () => [...document.querySelectorAll("[data-testid=bot]")].at(-1)?.textContent.includes(words);
  const look = () => (there() ? requestAnimationFrame(() => painting.postMessage("")) : requestAnimationFrame(look));
  link.click();
  look();
})"""

# Seconds from the request for the page until its list of conversations is on the screen.
OPENED = """() => new Promise((resolve) => {
  const { port1: painted, port2: painting } = new MessageChannel();
  painted.onmessage = () => resolve(performance.now() / 1000);
  const there = () => document.querySelectorAll("#chats .chat").length && document.querySelector("#message textarea");
  const look = () => (there() ? requestAnimationFrame(() => painting.postMessage("")) : requestAnimationFrame(look));
  look();
})"""


def measure(_: Contestant, server: Server, claude: Claude, plan: Plan) -> dict[str, Any]:
    """With `plan.saved` conversations, of which two have `plan.saved_turns` turns."""
    del claude
    plan.clock.needs(40)
    with chromium() as browser, closing(browser.new_page()) as page:
        page.goto(server.url)
        page.wait_for_timeout(1000 * SETTLED)
        page.evaluate(IMPORT, exported(plan.saved, plan.saved_turns))
        opened = [_opened(page, server.url) for _ in range(3)]
        page.wait_for_timeout(1000 * SETTLED)
        # the first two load what they need
        switched = [_switched(page, turn % 2, plan.saved_turns) for turn in range(plan.switches)][
            2:
        ]
    return {
        "saved": {
            "opened": percentile(opened, 0.5),
            "switched": percentile(switched, 0.5),
            "switched_slowest": max(switched),
        }
    }


def exported(conversations: int, turns: int) -> str:
    """A file of so many; the first two have so many turns, and the others one."""
    lengths = [turns, turns, *[1] * (conversations - 2)]
    told = [
        {"title": f"Conversation {number}", "messages": _said(number, length)}
        for number, length in enumerate(lengths)
    ]
    file = {"format": "streamchat-conversations", "version": 1, "conversations": told}
    return json.dumps(file)


def _said(number: int, turns: int) -> list[dict[str, str]]:
    return [
        message
        for turn in range(turns)
        for message in (
            {"role": "user", "text": f"Question {turn}?"},
            {"role": "assistant", "text": WORDS + LAST.format(turn=turn, number=number)},
        )
    ]


def _opened(page: Page, url: str) -> float:
    page.goto(url, wait_until="commit")
    return float(page.evaluate(OPENED))


def _switched(page: Page, number: int, turns: int) -> float:
    words = LAST.format(turn=turns - 1, number=number)
    took = float(page.evaluate(SWITCH, [f"Conversation {number}", words]))
    page.wait_for_timeout(1000 * SETTLED)
    return took
