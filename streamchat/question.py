"""The body of a request as a conversation: JSON, of the right shape, and not without end."""

from contextlib import aclosing
from typing import Any, Literal, Self

from fastapi import HTTPException, Request
from pydantic import BaseModel, Field, ValidationError, model_validator

from streamchat.errors import TooLong
from streamchat.events import Message
from streamchat.web.guard import MAX_BODY
from streamchat.web.problem import unfit

MAX_TURNS = 10_000
MAX_FIELDS = 20  # an object with more is not looked at: a mistake in each would take a lot of memory
SHAPE = 'Send {"message": "hi"} or {"messages": [{"role": "user", "content": "hi"}]}.'


class Shape(BaseModel, extra="forbid"):
    @model_validator(mode="before")
    @classmethod
    def _is_small(cls, fields: Any) -> Any:
        if isinstance(fields, dict) and len(fields) > MAX_FIELDS:
            raise ValueError("these are too many fields")
        return fields


class Turn(Shape):
    role: Literal["user", "assistant"]
    content: str


class Question(Shape):
    message: str | None = None
    messages: list[Turn] | None = Field(None, max_length=MAX_TURNS, fail_fast=True)

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.message is None) == (self.messages is None):
            raise ValueError("either message or messages is needed")
        return self


async def asked(request: Request) -> list[Message]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise unfit(415, "not_json", "Send the question as JSON, with Content-Type: application/json.")
    try:
        question = Question.model_validate_json(await _body(request))
    except ValidationError as error:
        raise _misunderstood(error) from None
    if question.messages is None:
        return [Message("user", question.message or "")]
    return [Message(turn.role, turn.content) for turn in question.messages]


async def _body(request: Request) -> bytes:
    if int(request.headers.get("content-length", 0)) > MAX_BODY:
        raise TooLong
    body = bytearray()
    async with aclosing(request.stream()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > MAX_BODY:
                raise TooLong
    return bytes(body)


def _misunderstood(error: ValidationError) -> HTTPException:
    wrong = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if wrong["type"] == "json_invalid":
        return unfit(400, "not_json", f"{wrong['msg']}.")
    place = ".".join(map(str, wrong["loc"])) or "The body"
    return unfit(422, "wrong_shape", f"{place}: {wrong['msg'].removeprefix('Value error, ')}. {SHAPE}")
