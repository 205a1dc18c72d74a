"""The options of a visitor: the choices that there are, and the ones that were made."""

from streamchat.options.choice import EFFORTS, OWNERS, Choice, Effort
from streamchat.options.menu import Menu
from streamchat.options.models import Model, known
from streamchat.options.settings import OfSearch

__all__ = ["EFFORTS", "OWNERS", "Choice", "Effort", "Menu", "Model", "OfSearch", "known"]
