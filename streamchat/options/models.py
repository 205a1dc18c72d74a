"""The models that are known by name."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Model:
    """A model as people read of it.

    `line` is empty where it is not known. `gone` is one that Claude has retired.
    """

    id: str
    name: str
    line: str = ""
    gone: bool = False


LINES = ("haiku", "sonnet", "opus", "fable", "mythos")
# such as `claude-sonnet-5-5-20260928`, also behind the name of a provider
ID = re.compile(r"claude-(?P<line>[a-z]+)-(?P<number>\d{1,2}(?:-\d{1,2})?)(?:-\d{8})?$")


def known(model: str) -> Model:
    """The model by its id. One that is not known has its id for a name."""
    found = ID.search(model)
    if not found or found["line"] not in LINES:
        return Model(model, model)
    name = f"Claude {found['line'].capitalize()} {found['number'].replace('-', '.')}"
    return Model(model, name, found["line"])
