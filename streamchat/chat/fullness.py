"""How full a conversation is."""

from streamchat.events import Conversation
from streamchat.meter import length
from streamchat.money import Accounts, tokens_of_files
from streamchat.options import Choice

# bytes of a conversation that is never called long
SHORT = 20_000
# tokens that the models take at once, and bytes of a token as a rule
WINDOW = 1_000_000
TOKEN = 3


def fullness(
    conversation: Conversation, choice: Choice, accounts: Accounts | None, visitor: str | None
) -> float:
    """0 for a short conversation; from 1 on there is no next answer.

    A conversation is full if the model accepts no more, or if a visitor could pay for an answer in
    a new chat but not in this one. Without `accounts` only the model counts.
    """
    size = sum(length(message.text) for message in conversation)
    size += TOKEN * tokens_of_files(conversation)
    if size < SHORT:
        return 0.0
    by_model = size / TOKEN / WINDOW
    if accounts is None or accounts.budget is None or visitor is None:
        return by_model
    left = accounts.budget.left_without_reserved(visitor)
    least = accounts.least_of(choice.model)
    if left <= least:
        return by_model
    system = "".join(choice.beside(accounts.system_prompt))
    worst = accounts.of(choice.model).worst(conversation, system, accounts.max_tokens)
    return max(by_model, (worst - least) / (left - least))
