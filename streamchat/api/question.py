"""Reads a question's body as a conversation: JSON of the right shape and a bounded size."""

from itertools import count
from typing import Any, Literal, Self

from fastapi import Request
from pydantic import BaseModel, Field, StrictBool, ValidationError, model_validator

from streamchat.api.blocks import TAGS, Content, text_of, uploads_of
from streamchat.chat import Draft
from streamchat.web.problem import Unfit

MAX_TURNS = 10_000
# to describe so many errors takes longer than to find them
MANY = 100
# characters of a field's name that are repeated
LONGEST = 100
# of a source of another type, such as an address
NO_SOURCE = ("literal_error", "union_tag_invalid", "union_tag_not_found")


class Turn(BaseModel, extra="forbid"):
    role: Literal["user", "assistant"]
    content: Content


class Question(BaseModel, extra="forbid"):
    message: Content | None = None
    messages: list[Turn] | None = Field(None, max_length=MAX_TURNS, fail_fast=True)
    model: str = ""
    effort: str = ""
    system: str = ""
    search: StrictBool = False

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.message is None) == (self.messages is None):
            raise ValueError
        return self


async def read_question(request: Request) -> tuple[list[Draft], dict[str, Any]]:
    """The conversation and the options that came with it. Its files and the options are
    unchecked."""
    if (
        request.headers.get("content-type", "").partition(";")[0].strip().lower()
        != "application/json"
    ):
        raise Unfit(415, "not_json", wording="question_not_json")
    try:
        question = Question.model_validate_json(await request.body())
    except ValidationError as error:
        raise _misunderstood(error) from None
    options = question.model_dump(
        include={"model", "effort", "system", "search"}, exclude_unset=True
    )
    turns = question.messages
    if turns is None:
        turns = [Turn(role="user", content=question.message or "")]
    return _drafts(turns), options


def _drafts(turns: list[Turn]) -> list[Draft]:
    numbers = count(1)
    return [
        Draft(turn.role, text_of(turn.content), uploads_of(turn.content, numbers)) for turn in turns
    ]


def _misunderstood(error: ValidationError) -> Unfit:
    if error.error_count() > MANY:
        return Unfit(422, "wrong_shape", wording="too_many_fields")
    wrong = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if wrong["type"] == "json_invalid":
        return Unfit(400, "not_json", wording="invalid_json", reason=wrong["msg"])
    if wrong["type"] == "value_error":
        return Unfit(422, "wrong_shape", wording="one_of_two")
    place = ".".join(str(part)[:LONGEST] for part in wrong["loc"] if part not in TAGS)
    if wrong["type"] in NO_SOURCE and "source" in wrong["loc"][-2:]:
        return Unfit(422, "wrong_shape", wording="no_addresses", place=place)
    return Unfit(422, "wrong_shape", place=place, reason=wrong["msg"])
