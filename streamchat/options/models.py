"""The models that this release knows by name."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Model:
    """A model as people read of it. `line` is empty if it is unknown. `gone` if Claude has retired
    it."""

    id: str
    name: str
    line: str = ""
    gone: bool = False


LINES = ("haiku", "sonnet", "opus", "fable", "mythos")
# such as `claude-sonnet-5-5-20260928`, also behind the name of a provider
ID = re.compile(r"claude-(?P<line>[a-z]+)-(?P<number>\d{1,2}(?:-\d{1,2})?)(?:-\d{8})?$")


def known(model: str) -> Model:
    """The model with that id. An unknown one is named by its id."""
    found = ID.search(model)
    if not found or found["line"] not in LINES:
        return Model(model, model)
    name = f"Claude {found['line'].capitalize()} {found['number'].replace('-', '.')}"
    return Model(model, name, found["line"])
