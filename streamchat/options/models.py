"""The models that are known by name, and what each is good for."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Model:
    """A model as people read of it."""

    id: str
    name: str
    good_for: str


# the newest of each line of models comes first
LINES = {
    "haiku": "Fast and cheap: short questions, translations, summaries.",
    "sonnet": "Fast and capable: good for nearly everything.",
    "opus": "Strong: hard problems, long texts, code.",
    "fable": "Strongest: the hardest problems, with time to think.",
    "mythos": "Strongest: for verified organisations.",
}
# such as `claude-sonnet-5-5-20260928`, also behind the name of a provider
ID = re.compile(r"claude-(?P<line>[a-z]+)-(?P<number>\d{1,2}(?:-\d{1,2})?)(?:-\d{8})?$")


def known(model: str) -> Model:
    """The model by its id. One that is not known has its id for a name."""
    found = ID.search(model)
    if not found or found["line"] not in LINES:
        return Model(model, model, "")
    name = f"Claude {found['line'].capitalize()} {found['number'].replace('-', '.')}"
    return Model(model, name, LINES[found["line"]])
