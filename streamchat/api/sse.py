"""A reply's events as Server-Sent Events.

Standard: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import json
from dataclasses import asdict
from typing import Any

from streamchat.events import Done, Event, Failed, Notice, Text, Thinking, Usage
from streamchat.texts import worded

# milliseconds until a browser that was cut off comes back
START = b"retry: 2000\n"
KEEPALIVE_COMMENT = b":\n"
# the id of a shutdown: after a restart it may stand before events that were read already
CUT_OFF = 999_999_999


def rendered(position: int, event: Event) -> bytes:
    """The event as it is sent; `position` is the log's position after it. Empty for events that
    readers do not get."""
    match event:
        case Text():
            return _block(position, "text", {"text": event.text})
        case Thinking():
            return _block(position, "thinking", {"text": event.text})
        case Notice():
            return _block(position, "notice", {"code": event.code, "text": worded(event)})
        case Done():
            receipt = {"receipt": asdict(event.receipt)} if event.receipt else {}
            last = CUT_OFF if event.reason == "shutdown" else position
            return _block(
                last, "done", {"reason": event.reason, "usage": asdict(event.usage), **receipt}
            )
        case Failed():
            return _block(
                position,
                "error",
                {
                    "code": event.code,
                    "message": worded(event),
                    "retry_after": event.retry_after,
                    "request_id": event.request_id,
                },
            )
        case Usage():
            return b""


def _block(position: int, name: str, data: dict[str, Any]) -> bytes:
    text = json.dumps(data, ensure_ascii=False)
    # half of a surrogate pair has no UTF-8; as \udxxx it is JSON, and a browser puts the halves
    # together again
    return f"id: {position}\nevent: {name}\ndata: {text}\n\n".encode(errors="backslashreplace")
