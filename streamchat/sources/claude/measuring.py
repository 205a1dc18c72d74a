"""Measures the tokens that the events of Claude's stream show."""

import json
from typing import Any, TypeGuard

from streamchat.errors import Unreadable
from streamchat.events import Usage
from streamchat.meter import MARKS, RESULT_TOKEN, Meter, length

# an event's data
Sent = dict[str, Any]
READ = (
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
)
NAMES = frozenset(kind.encode() for kind in READ)
# blocks of which every token is sent
SHOWN = {"text", "tool_use"}
# how blocks are named in which Claude uses a tool of its own
TOOL = ("server_tool_use", "_tool_result")
# then the data says what an event is
UNNAMED = (b"", b"message")


def measure(raw: Sent, meter: Meter) -> None:
    """Tells the meter the usage that an event shows."""
    try:
        match raw["type"]:
            case "content_block_delta":
                _measure_delta(raw["delta"], meter)
            case "content_block_start":
                _measure_block(raw.get("content_block") or {"type": ""}, meter)
            case "message_start":
                meter.count(latest_usage(raw["message"].get("usage") or {}, meter.counted))
            case "message_delta":
                counted = raw.get("usage") or {}
                has_output = counted.get("output_tokens") is not None
                usage = latest_usage(counted, meter.counted)
                meter.count(usage, output=has_output, searches=counts_searches(counted))
                if raw["delta"].get("stop_reason"):
                    meter.end()
            case "message_stop":
                meter.end()
    except (AttributeError, KeyError, TypeError) as error:
        raise Unreadable from error


def _measure_delta(delta: Sent, meter: Meter) -> None:
    match delta["type"]:
        case "text_delta":
            meter.see(length(delta["text"]))
        case "input_json_delta":
            meter.see(length(delta["partial_json"]))
        case "citations_delta":
            meter.mark()
        case _:
            meter.think()


def _measure_block(block: Sent, meter: Meter) -> None:
    kind = block["type"]
    if kind == "server_tool_use":
        meter.search()
    elif kind.endswith(TOOL):
        failed = isinstance(block.get("content"), dict)
        meter.find(tokens_of_result(block), failed=failed)
    if kind in SHOWN or kind == "server_tool_use":
        meter.mark()
        meter.see(length(block.get("text") or ""))
    elif not kind.endswith(TOOL):
        meter.think()


def tokens_of_result(block: Sent) -> int:
    """The most tokens of a search's results."""
    content = block.get("content")
    results = content if isinstance(content, list) else []
    texts = [
        value
        for result in results
        if isinstance(result, dict)
        for value in result.values()
        if isinstance(value, str)
    ]
    return MARKS * (len(results) + 1) + sum(map(length, texts)) // RESULT_TOKEN


def measure_unread(name: bytes, data: bytes, meter: Meter) -> None:
    """The same for an event that was not read, or arrived in part."""
    try:
        if name in NAMES or name in UNNAMED:
            measure(json.loads(data), meter)
    except (ValueError, RecursionError, Unreadable):
        meter.see(len(data))
        if b"content_block_start" in name + data or b"thinking" in data:
            meter.think()


def latest_usage(counted: Sent, usage: Usage) -> Usage:
    """The usage with later counts in place of earlier ones. A field that is missing, or no count,
    keeps its value."""

    def latest(name: str, before: int) -> int:
        value = counted.get(name)
        return value if is_count(value) else before

    searches = searches_in(counted)
    return Usage(
        latest("input_tokens", usage.input_tokens),
        latest("output_tokens", usage.output_tokens),
        latest("cache_creation_input_tokens", usage.cache_write_tokens),
        latest("cache_read_input_tokens", usage.cache_read_tokens),
        searches if is_count(searches) else usage.web_searches,
    )


def counts_searches(counted: Sent) -> bool:
    """Whether the usage has both a number of searches and the input with their results."""
    return is_count(counted.get("input_tokens")) and is_count(searches_in(counted))


def searches_in(counted: Sent) -> Any:
    return (counted.get("server_tool_use") or {}).get("web_search_requests")


def is_count(value: Any) -> TypeGuard[int]:
    # a bool is an int, and has no price
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
