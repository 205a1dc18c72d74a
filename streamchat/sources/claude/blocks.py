"""The blocks of a response, as they are sent back for Claude to go on after a pause, and the events
of searches and citations in them."""

import json
from contextlib import suppress
from typing import Any

from streamchat.citations import Citation, Found, Search
from streamchat.sources.claude.evidence import RESULT, Block, Evidence

TOOL = "server_tool_use"
# the parts of deltas that continue a text of the block
GROWING = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}

Told = Search | Found | Citation


class Blocks:
    """Joins blocks from their events. Everything in them stays unchanged."""

    def __init__(self, evidence: Evidence) -> None:
        self.whole: list[Block] = []
        self._evidence = evidence
        self._block: Block | None = None
        # pieces of its texts
        self._pieces: dict[str, list[str]] = {}
        # that come after its beginning
        self._citations: list[Any] = []

    def begin(self, block: Block) -> list[Told]:
        """Begins a block; a search's result is complete at once."""
        told = self.end()
        self._block, self._pieces, self._citations = dict(block), {}, []
        if block.get("type") == RESULT and (found := self._evidence.found(block)):
            told.append(found)
        return told

    def add(self, delta: Block) -> None:
        kind = delta["type"]
        if name := GROWING.get(kind):
            self._pieces.setdefault(name, []).append(delta[name])
        elif kind == "input_json_delta":
            self._pieces.setdefault("input", []).append(delta["partial_json"])
        elif kind == "citations_delta":
            self._citations.append(delta["citation"])

    def end(self) -> list[Told]:
        """Ends the block, if one is begun. Its citations come after its text."""
        if self._block is None:
            return []
        block, self._block = self._block, None
        for name, pieces in self._pieces.items():
            block[name] = _joined(name, block.get(name), pieces)
        if self._citations:
            block["citations"] = [*(block.get("citations") or ()), *self._citations]
        # Claude takes no empty text
        if block.get("type") != "text" or block.get("text"):
            self.whole.append(block)
        if block.get("type") == TOOL and (search := self._evidence.search(block)):
            return [search]
        cited = map(self._evidence.cited, block.get("citations") or ())
        return [citation for citation in cited if citation]


def _joined(name: str, begun: Any, pieces: list[str]) -> Any:
    text = "".join(pieces)
    if name != "input":
        return f"{begun or ''}{text}"
    with suppress(ValueError, RecursionError):
        return json.loads(text) if text else begun
    return begun
