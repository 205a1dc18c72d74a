"""The models that a visitor may choose, with their prices."""

from collections.abc import Iterable
from dataclasses import dataclass

from streamchat.events import Usage
from streamchat.money import Accounts
from streamchat.options import Menu, Model

# tokens of a question with what was said before it, and of its answer
TYPICAL = Usage(1_500, 700)


@dataclass(frozen=True, slots=True)
class Offer:
    """A model and the usual price of an answer in dollars; None if answers cost nothing. `beyond`
    if one answer may cost more than the visitor may spend in a day."""

    model: Model
    dollars: float | None
    beyond: bool


def offers(menu: Menu, accounts: Accounts | None, visitor: str | None) -> Iterable[Offer]:
    """The models that the owner allows, in the owner's order."""
    for model in menu.models.values():
        if accounts is None:
            yield Offer(model, None, False)
        else:
            dollars = accounts.of(model.id).cost(TYPICAL)
            yield Offer(model, dollars, accounts.is_beyond(model.id, visitor))
