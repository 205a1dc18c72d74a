"""The budget, and the cost of a reply."""

from streamchat.money.account import Account, Accounts
from streamchat.money.budget import Budget
from streamchat.money.prices import Prices, tokens_of_files

__all__ = ["Account", "Accounts", "Budget", "Prices", "tokens_of_files"]
