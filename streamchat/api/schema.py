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


ROLE = {"enum": ["user", "assistant"]}
TURN = described(role=ROLE, content={"type": "string"})
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
}
QUESTION = {
    "oneOf": [
        described(OPTIONS, message={"type": "string", "minLength": 1}),
        described(OPTIONS, messages=TURNS),
    ]
}
CONVERSATION = [
    {"role": "user", "content": "Name a river."},
    {"role": "assistant", "content": "The Loire."},
    {"role": "user", "content": "And one in Peru?"},
]
EXAMPLES = {
    "message": {
        "summary": "One message",
        "value": {"message": "Write me 2,000 words about rivers"},
    },
    "messages": {"summary": "A conversation", "value": {"messages": CONVERSATION}},
}
