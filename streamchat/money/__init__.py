"""What may be spent, what a reply costs, and how that is said."""

from streamchat.money.account import Account, Accounts
from streamchat.money.budget import Budget
from streamchat.money.prices import Prices
from streamchat.money.receipts import allowance, worded

__all__ = ["Account", "Accounts", "Budget", "Prices", "allowance", "worded"]
