"""Reads a question's body as a conversation: JSON of the right shape and a bounded size."""

from typing import Literal, Self

from fastapi import Request
from pydantic import BaseModel, Field, ValidationError, model_validator

from streamchat.events import Message
from streamchat.web.problem import Unfit

MAX_TURNS = 10_000
# to describe so many errors takes longer than to find them
MANY = 100
# characters of a field's name that are repeated
LONGEST = 100


class Turn(BaseModel, extra="forbid"):
    role: Literal["user", "assistant"]
    content: str


class Question(BaseModel, extra="forbid"):
    message: str | None = None
    messages: list[Turn] | None = Field(None, max_length=MAX_TURNS, fail_fast=True)
    model: str = ""
    effort: str = ""
    system: str = ""

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.message is None) == (self.messages is None):
            raise ValueError
        return self


async def read_question(request: Request) -> tuple[list[Message], dict[str, str]]:
    """The conversation and the unchecked options that came with it."""
    if (
        request.headers.get("content-type", "").partition(";")[0].strip().lower()
        != "application/json"
    ):
        raise Unfit(415, "not_json", wording="question_not_json")
    try:
        question = Question.model_validate_json(await request.body())
    except ValidationError as error:
        raise _misunderstood(error) from None
    options = question.model_dump(include={"model", "effort", "system"}, exclude_unset=True)
    if question.messages is None:
        return [Message("user", question.message or "")], options
    return [Message(turn.role, turn.content) for turn in question.messages], options


def _misunderstood(error: ValidationError) -> Unfit:
    if error.error_count() > MANY:
        return Unfit(422, "wrong_shape", wording="too_many_fields")
    wrong = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if wrong["type"] == "json_invalid":
        return Unfit(400, "not_json", wording="invalid_json", reason=wrong["msg"])
    if wrong["type"] == "value_error":
        return Unfit(422, "wrong_shape", wording="one_of_two")
    place = ".".join(str(part)[:LONGEST] for part in wrong["loc"])
    return Unfit(422, "wrong_shape", place=place, reason=wrong["msg"])
