"""Refusals and failures, by the codes of the error classes."""

from collections.abc import Callable


def too_many_at_once(running: int) -> str:
    if running == 1:
        return "You have an answer running. Wait for it to finish, or stop it."
    return f"You have {running} answers running. Wait for one to finish, or stop one."


SENTENCES: dict[str, str | Callable[..., str]] = {
    "empty_message": "There is nothing to answer: the message is empty.",
    "too_long": "This conversation is too long to send. Shorten the message or start a new chat.",
    "chat_full": "This chat has become too long for a page. Start a new chat to go on.",
    "message_too_long": (
        "A message may have up to {most:,} characters here. Shorten it, or send it in parts."
    ),
    "too_dear": (
        "This conversation is too long for the budget here. Start a new chat, or write a"
        " shorter message."
    ),
    "bad_key": (
        "This does not look like an API key. Keys begin with sk-ant-. Copy it anew from the"
        " Claude Console."
    ),
    "no_own_keys": "This chat takes no API keys of its visitors. Ask without one.",
    "unknown_conversation": "There is no such conversation here.",
    "changed_meanwhile": (
        "Another window changed this conversation at the same time, so there is no answer. Reload"
        " the page to see it, or ask again."
    ),
    "unknown_reply": "There is no such reply, or it is no longer kept.",
    "idempotency_key_reused": (
        "This Idempotency-Key belongs to another question. Send each question with a key of its"
        " own."
    ),
    "too_often": "You are sending messages too quickly.",
    "pages_too_often": "You are opening pages too quickly.",
    "too_many_at_once": too_many_at_once,
    "too_many_guesses": "There were too many wrong passwords. Try again in {seconds} s.",
    "crowded": "The chat is full right now.",
    "paused": "The owner of this chat has paused Claude until further notice.",
    "not_recorded": (
        "This chat cannot record what an answer costs, so it does not ask Claude at the moment."
    ),
    "day_is_spent": "Today's budget for this chat is used up. It renews at 00:00 UTC.",
    "visitor_is_spent": "You have used today's free allowance. It renews at 00:00 UTC.",
    "too_little_left": (
        "Not enough is left today for this. A new chat may help, or the end of an answer that"
        " is still being written. The budget renews at 00:00 UTC."
    ),
    "unavailable": "This chat cannot reach Claude at the moment.",
    "own_key_rejected": (
        "Claude does not accept your API key. Copy it anew from the Claude Console, or ask"
        " without it."
    ),
    "own_not_permitted": (
        "Your API key may not use the model of this chat. Check its permissions in the Claude"
        " Console."
    ),
    "own_no_credit": (
        "The account behind your API key has no credit left or has reached its spend limit."
    ),
    "request_rejected": "Claude did not accept this request.",
    "attachment_rejected": (
        "Claude cannot read a file of this conversation. Save it in another form, or ask without"
        " it."
    ),
    "conversation_too_large": "This conversation has grown too large for Claude. Start a new chat.",
    "rate_limited": "Claude's rate limit for the API key is reached.",
    "busy": "Claude is busy.",
    "claude_fault": "Claude had an internal fault.",
    "unreachable": "Claude cannot be reached.",
    "silent": "Claude fell silent.",
    "took_too_long": "This answer took longer than one may take here.",
    "broken_off": "The connection to Claude broke off.",
    "unreadable": "Claude's answer could not be read.",
    "not_a_stream": (
        "What answered in Claude's place did not send a stream. Is there a proxy in between?"
    ),
    "source_failed": lambda said="": said or "The answer could not be written.",
    "internal": "Something went wrong inside this chat; it is not your doing.",
    "cut_off": "This answer was cut off before its end.",
    "not_whole": "This answer may not be whole.",
}
# what only the owner can mend, by the causes of the errors: for the log and the owner's page
CAUSES = {
    "key_rejected": "Claude does not accept the API key. Check ANTHROPIC_API_KEY.",
    "not_permitted": (
        "The API key is not allowed to do this. Check its permissions in the Claude Console."
    ),
    "no_credit": (
        "The account behind the key has no credit. Add some at Plans & Billing. If there is"
        " some, the account has reached its spend limit."
    ),
    "unknown_model": (
        "Claude does not know the chosen model, or the key may not use it. Check STREAMCHAT_MODEL."
    ),
    "wrong_address": "There is no Claude at the address that is set. Check ANTHROPIC_BASE_URL.",
}
