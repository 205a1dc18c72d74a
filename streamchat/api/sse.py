"""A reply's events as Server-Sent Events.

Standard: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import json
from dataclasses import asdict
from typing import Any

from streamchat.events import (
    Citation,
    Done,
    Ending,
    Event,
    Failed,
    Found,
    Notice,
    Search,
    Text,
    Thinking,
    Usage,
)
from streamchat.texts import worded

Data = dict[str, Any]

# milliseconds until a browser that was cut off comes back
START = b"retry: 2000\n"
KEEPALIVE_COMMENT = b":\n"
# the id of a shutdown: after a restart it may stand before events that were read already
CUT_OFF = 999_999_999


def rendered(position: int, event: Event) -> bytes:
    """The event as it is sent; `position` is the log's position after it. Empty for events that
    readers do not get."""
    if isinstance(event, Text):
        return _block(position, "text", {"text": event.text})
    if isinstance(event, Usage):
        return b""
    is_shutdown = isinstance(event, Done) and event.reason == "shutdown"
    return _block(CUT_OFF if is_shutdown else position, *_named(event))


def _named(event: Thinking | Notice | Search | Found | Citation | Ending) -> tuple[str, Data]:
    """The event's name and its data."""
    match event:
        case Thinking():
            return "thinking", {"text": event.text}
        case Notice():
            return "notice", {"code": event.code, "text": worded(event)}
        case Found(failure=failure) if failure:
            return "found", asdict(event) | {"message": worded(event)}
        case Search() | Found() | Citation():
            return type(event).__name__.lower(), asdict(event)
        case Done():
            receipt = {"receipt": asdict(event.receipt)} if event.receipt else {}
            return "done", {"reason": event.reason, "usage": asdict(event.usage), **receipt}
        case Failed():
            return "error", {
                "code": event.code,
                "message": worded(event),
                "retry_after": event.retry_after,
                "request_id": event.request_id,
            }


def _block(position: int, name: str, data: Data) -> bytes:
    text = json.dumps(data, ensure_ascii=False)
    # half of a surrogate pair has no UTF-8; as \udxxx it is JSON, and a browser puts the halves
    # together again
    return f"id: {position}\nevent: {name}\ndata: {text}\n\n".encode(errors="backslashreplace")
