"""The description of a question's body for /docs, with examples to try."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from streamchat.options import EFFORTS


def described(
    optional: Mapping[str, Any] = MappingProxyType({}), **properties: Any
) -> dict[str, Any]:
    """The schema of an object with these properties and no others."""
    return {
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": {**properties, **optional},
    }


def _source(kind: str, media_types: list[str], data: Mapping[str, Any]) -> dict[str, Any]:
    return described(
        type={"const": kind}, media_type={"enum": media_types}, data={"type": "string", **data}
    )


BASE64 = {"contentEncoding": "base64", "minLength": 4, "pattern": "^[A-Za-z0-9+/]+={0,2}$"}
PICTURE = _source("base64", ["image/jpeg", "image/png", "image/gif", "image/webp"], BASE64)
DOCUMENT = _source("base64", ["application/pdf", "text/plain"], BASE64)
PLAIN = _source("text", ["text/plain"], {"minLength": 1})
TITLE = {
    "title": {"type": "string", "maxLength": 1_000, "description": "The name of the file."},
}
BLOCKS = {
    "type": "array",
    "description": (
        "Content blocks as in Anthropic's Messages API. Only the user's messages have files; the"
        " model gets them before the words of their message."
    ),
    "minItems": 1,
    "maxItems": 100,
    "items": {
        "oneOf": [
            described(type={"const": "text"}, text={"type": "string"}),
            described(type={"const": "image"}, source=PICTURE),
            described(TITLE, type={"const": "document"}, source={"oneOf": [DOCUMENT, PLAIN]}),
        ]
    },
}
ROLE = {"enum": ["user", "assistant"]}
TURN = described(role=ROLE, content={"oneOf": [{"type": "string"}, BLOCKS]})
TURNS = {"type": "array", "items": TURN, "minItems": 1, "maxItems": 10_000}
OPTIONS = {
    "model": {
        "type": "string",
        "description": "One of the models that the owner of the chat offers, by its id.",
    },
    "effort": {
        "enum": list(EFFORTS),
        "description": "How thorough the model is, as far as the owner offers it.",
    },
    "system": {
        "type": "string",
        "description": "Your instructions, which the model gets beside the owner's.",
    },
    "search": {
        "type": "boolean",
        "description": "Whether the model may search the web, as far as the owner offers it.",
    },
}
QUESTION = {
    "oneOf": [
        described(OPTIONS, message={"oneOf": [{"type": "string", "minLength": 1}, BLOCKS]}),
        described(OPTIONS, messages=TURNS),
    ]
}
CONVERSATION = [
    {"role": "user", "content": "Name a river."},
    {"role": "assistant", "content": "The Loire."},
    {"role": "user", "content": "And one in Peru?"},
]
# a red square of 8 pixels
RED = (
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFElEQVR4nGO8pKHBgA0wYRUdtBIA5/4BMqpnNMUAAAAA"
    "SUVORK5CYII="
)
FILES = [
    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": RED}},
    {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": "a = 1"},
        "title": "main.py",
    },
    {"type": "text", "text": "What do these have in common?"},
]
EXAMPLES = {
    "message": {
        "summary": "One message",
        "value": {"message": "Write me 2,000 words about rivers"},
    },
    "messages": {"summary": "A conversation", "value": {"messages": CONVERSATION}},
    "files": {"summary": "A picture and code", "value": {"message": FILES}},
}
