"""The visitors: how they are told apart, and how often each may ask."""

from streamchat.visitors.flow import Flow
from streamchat.visitors.limits import Admission, Limits, rate
from streamchat.visitors.shelf import Shelf
from streamchat.visitors.visitor import (
    Identify,
    Local,
    Proxies,
    comes_from_here,
    is_address,
    visitor,
)
from streamchat.visitors.visitors import Visitors

__all__ = [
    "Admission",
    "Flow",
    "Identify",
    "Limits",
    "Local",
    "Proxies",
    "Shelf",
    "Visitors",
    "comes_from_here",
    "is_address",
    "keys",
    "rate",
    "visitor",
]
