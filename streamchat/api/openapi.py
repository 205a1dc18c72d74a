"""The description of the routes of `api` for /docs, with examples to try."""

from typing import Any

from fastapi import Header, Path, Query

from streamchat.api.schema import EXAMPLES, QUESTION, described

Responses = dict[int | str, dict[str, Any]]


HEADERS = [
    {
        "name": "Idempotency-Key",
        "in": "header",
        "description": (
            "A string of your own. A question that is sent again with the same one, after a lost "
            "connection, gets the same reply from its beginning."
        ),
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": 255,
            "pattern": r"^[A-Za-z0-9_.~:/+=@*-]{1,255}$",
        },
        "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    },
    {
        "name": "X-Api-Key",
        "in": "header",
        "description": "A key to Claude of your own, which pays for the reply.",
        "schema": {"type": "string", "pattern": "^[!-~]*$"},
    },
]


BODY = {
    "parameters": HEADERS,
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": QUESTION, "examples": EXAMPLES}},
    },
}


def _error(description: str, code: str, message: str) -> dict[str, Any]:
    schema = described(code={"type": "string"}, message={"type": "string"})
    example = {"code": code, "message": message}
    return {
        "description": description,
        "content": {"application/json": {"schema": schema, "example": example}},
    }


# FastAPI would answer what does not fit these patterns in a shape of its own; `api` checks them
# itself
REPLY_ID = Path(
    description="The last part of a reply's `Location`.",
    json_schema_extra={"pattern": "^[A-Za-z0-9_-]{32}$"},
)
AFTER = Query(
    description="How many events not to read again.", json_schema_extra={"pattern": "^[0-9]{1,9}$"}
)
LAST_EVENT_ID = Header(
    description="The same, as browsers send it; counts more.",
    json_schema_extra={"pattern": "^[0-9]{0,9}$"},
)

EVENTS = """retry: 2000

id: 2
event: text
data: {"text": "The"}

id: 3
event: text
data: {"text": " Loire."}

id: 5
event: done
data: {"reason": "end_turn", "usage": {"input_tokens": 25, "output_tokens": 6, ...}}

"""
STREAM = {
    "description": (
        "The answer as it is written. As text, a transfer that breaks off before its end is an"
        " answer that failed. The events are `text`, `thinking`, `notice`, `search`, `found`,"
        " `citation`, and at the end `done` or `error`."
    ),
    "headers": {
        "Location": {"description": "Where to read on and to stop.", "schema": {"type": "string"}}
    },
    "content": {
        "text/plain": {"example": "The Loire."},
        "text/event-stream": {"schema": {"type": "string"}, "example": EVENTS},
    },
}
GUARDED: Responses = {
    401: _error(
        "A login is set, and this is not it.",
        "login_required",
        "This chat asks for a user and a password.",
    ),
    403: _error(
        "A page of another site asked.", "foreign_page", "Other sites' pages may not use this chat."
    ),
}
UNKNOWN = _error(
    "There is no such reply.", "unknown_reply", "There is no such reply, or it is no longer kept."
)
FAILED = _error(
    "The answer failed before its first word; `Retry-After` says when to try again.",
    "busy",
    "Claude is busy.",
)

POST: Responses = GUARDED | {
    200: STREAM,
    400: _error(
        "The body is not JSON, there is no message, or a header is malformed.",
        "empty_message",
        "The message is empty.",
    ),
    413: _error(
        "The conversation is too long or may cost too much, or a file is too large.",
        "too_long",
        "This conversation is too long to send.",
    ),
    408: _error(
        "The body came too slowly.", "too_slow", "The body of the request came too slowly."
    ),
    415: _error(
        "The body is not application/json, or is compressed.",
        "not_json",
        "Send the question as JSON.",
    ),
    422: _error(
        "The JSON is something else, a file cannot be taken, the chat does not offer these options,"
        " or the `Idempotency-Key` belongs to another question.",
        "wrong_shape",
        "message: Input should be a valid string.",
    ),
    429: _error(
        "You ask or send files too often, the money for today is spent, or Claude's rate limit is"
        " reached;"
        " `Retry-After` says when to try again.",
        "visitor_is_spent",
        "You have used today's free allowance. It renews at 00:00 UTC.",
    ),
    503: _error(
        "Claude is busy, is paused by the owner, or cannot be reached.",
        "unavailable",
        "This chat cannot reach Claude at the moment.",
    ),
    "default": FAILED,
}
GET: Responses = GUARDED | {
    200: STREAM,
    204: {
        "description": "As events: the reply has ended, and there is nothing after this position."
    },
    400: _error(
        "The position is not one of this reply.",
        "bad_position",
        "This reply has no position like that.",
    ),
    404: UNKNOWN,
    "default": FAILED,
}
DELETE: Responses = GUARDED | {
    204: {"description": "The reply stops or has ended."},
    404: UNKNOWN,
    "default": FAILED,
}
HEALTH: Responses = GUARDED | {
    200: {
        "description": "All is well.",
        "content": {
            "application/json": {"example": {"source": "Claude (claude-sonnet-5-5)", "running": 3}}
        },
    },
}
ALLOWED: Responses = GUARDED | {
    200: {
        "description": "The options.",
        "content": {
            "application/json": {
                "example": {
                    "models": [
                        {
                            "id": "claude-sonnet-5-5",
                            "name": "Claude Sonnet 5.5",
                            "good_for": "Fast and capable: good for nearly everything.",
                            "price": "about 1 cent an answer",
                            "beyond": False,
                            "gone": False,
                        }
                    ],
                    "model": "claude-sonnet-5-5",
                    "efforts": ["low", "medium", "high"],
                    "effort": "low",
                    "thinking": [True, False],
                    "instructions": 1_000,
                    "search": [False, True],
                    "files": {
                        "per_message": 5,
                        "per_conversation": 20,
                        "bytes_each": 5_000_000,
                        "bytes_in_all": 10_000_000,
                        "pixels": 50_000_000,
                        "pages": 100,
                    },
                    "own_key": True,
                    "demo": False,
                }
            }
        },
    },
}
