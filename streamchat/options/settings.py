"""The settings of web search."""

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

MOST_DOMAINS = 50
# as Claude takes it: without https://, and with a * in the path alone
DOMAIN = re.compile(r"(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}(?:/[\w.~%*/-]{0,200})?", re.ASCII)
SEARCH: dict[str, Sequence[bool]] = {"off": (False,), "on": (True,), "ask": (False, True)}


def _domains(text: str) -> str:
    names = listed(text)
    if len(names) > MOST_DOMAINS:
        raise ValueError(f"it should be {MOST_DOMAINS} domains at most")
    if not all(map(DOMAIN.fullmatch, names)):
        raise ValueError("it should be domains with commas between them, as in a.example,b.example")
    return text


def listed(text: str) -> list[str]:
    """Domains in lower case, and paths as they are."""
    parts = [part.strip().partition("/") for part in text.split(",") if part.strip()]
    return [host.lower() + slash + path for host, slash, path in parts]


Domains = Annotated[str, AfterValidator(_domains)]


class OfSearch(BaseSettings):
    """The settings of web search."""

    web_search: Literal["off", "on", "ask"] = Field(
        "off",
        description=(
            "Whether Claude may search the web, for $0.01 a search and its results: off, on, or ask"
            " for visitors who want it."
        ),
    )
    max_searches: int = Field(
        3, ge=1, le=10, description="How many searches one answer may have at most."
    )
    search_allowed: Domains = Field(
        "", description="The only domains that searches may find, with commas between them."
    )
    search_blocked: Domains = Field(
        "", description="Domains that searches never find, with commas between them."
    )

    @field_validator("search_blocked")
    @classmethod
    def _not_both(cls, blocked: str, info: ValidationInfo) -> str:
        if listed(blocked) and listed(info.data.get("search_allowed", "")):
            raise ValueError("Claude takes either allowed or blocked domains, and both are set")
        return blocked

    @property
    def search_choices(self) -> Sequence[bool]:
        """The values that visitors may choose, of which the first holds without a choice."""
        return SEARCH[self.web_search]

    @property
    def search_domains(self) -> dict[str, list[str]]:
        """The domains as Claude takes them."""
        named = {"allowed_domains": self.search_allowed, "blocked_domains": self.search_blocked}
        return {name: listed(text) for name, text in named.items() if listed(text)}
