"""The budget, the cost of a reply, and the words for both."""

from streamchat.money.account import Account, Accounts
from streamchat.money.budget import Budget
from streamchat.money.prices import Prices
from streamchat.money.receipts import allowance, worded

__all__ = ["Account", "Accounts", "Budget", "Prices", "allowance", "worded"]
