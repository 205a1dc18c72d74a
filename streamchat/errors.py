"""Every way in which a reply is refused or fails, with the sentence a person reads.

ChatError
├── Refused                    before it began; nothing was spent
│   ├── EmptyMessage           400
│   ├── TooLong                413
│   ├── TooDear                413
│   ├── BadKey                 400
│   ├── NoOwnKeys              403
│   ├── UnknownReply           404
│   ├── KeyReused              422
│   ├── TooOften               429
│   ├── TooManyAtOnce          429
│   ├── Crowded                503
│   ├── Paused                 503
│   ├── NotRecorded            503
│   └── Spent                  429  until the day (UTC) is over
│       ├── DayIsSpent         429
│       ├── VisitorIsSpent     429
│       └── TooLittleLeft      429
├── ClaudeError                Claude's doing, or the way to Claude's
│   ├── OwnersAffair           503  only the owner can mend it
│   │   ├── KeyRejected        503
│   │   ├── NotPermitted       503
│   │   ├── NoCredit           503
│   │   ├── UnknownModel       503
│   │   └── WrongAddress       503
│   ├── OwnKeyRejected         401
│   ├── OwnNotPermitted        403
│   ├── OwnNoCredit            402
│   ├── RequestRejected        502
│   ├── ConversationTooLarge   413
│   ├── RateLimited            429  retryable
│   ├── Busy                   503  retryable
│   ├── ClaudeFault            502  retryable
│   ├── Unreachable            503  retryable
│   ├── Silent                 504  retryable
│   ├── TookTooLong            504
│   ├── BrokenOff              502  retryable
│   ├── Unreadable             502  retryable
│   └── NotAStream             502
└── InternalError              500
"""

from pathlib import Path
from traceback import walk_tb
from typing import ClassVar


class ChatError(Exception):
    """A refusal or failure that can be shown to whoever asked.

    `retry_after` is in seconds; `request_id` is Claude's, for the owner's support requests. A
    `retryable` error may not come again if the same request is sent a little later. Where code and
    sentence hide the owner's affairs, `cause` and `for_owner` name them, for the log and the
    owner's page. `own_key_helps` where the same question may be answered to a visitor who brings a
    key.
    """

    code: ClassVar[str]
    status: ClassVar[int]
    sentence: ClassVar[str]
    cause: ClassVar[str] = ""
    for_owner: ClassVar[str] = ""
    own_key_helps: ClassVar[bool] = False
    retryable: bool = False

    def __init__(
        self,
        message: str | None = None,
        *,
        retry_after: float | None = None,
        request_id: str | None = None,
    ) -> None:
        self.message = message or self.sentence
        self.retry_after = retry_after
        self.request_id = request_id
        super().__init__(self.message)


class Refused(ChatError):
    pass


class EmptyMessage(Refused):
    code, status = "empty_message", 400
    sentence = "There is nothing to answer: the message is empty."


class TooLong(Refused):
    code, status = "too_long", 413
    sentence = "This conversation is too long to send. Shorten the message or start a new chat."


class TooDear(Refused):
    code, status, own_key_helps = "too_dear", 413, True
    sentence = (
        "This conversation is too long for the budget here. Start a new chat, or write a shorter"
        " message."
    )


class BadKey(Refused):
    code, status = "bad_key", 400
    sentence = (
        "This does not look like an API key. Keys begin with sk-ant-. Copy it anew from the Claude"
        " Console."
    )


class NoOwnKeys(Refused):
    code, status = "no_own_keys", 403
    sentence = "This chat takes no API keys of its visitors. Ask without one."


class UnknownReply(Refused):
    code, status = "unknown_reply", 404
    sentence = "There is no such reply, or it is no longer kept."


class KeyReused(Refused):
    code, status = "idempotency_key_reused", 422
    sentence = (
        "This Idempotency-Key belongs to another question. Send each question with a key of its"
        " own."
    )


class TooOften(Refused):
    code, status = "too_often", 429
    sentence = "You are sending messages too quickly."


class TooManyAtOnce(Refused):
    code, status = "too_many_at_once", 429
    sentence = (
        "You have as many answers running as one person may. Wait for one to finish, or stop one."
    )


class Crowded(Refused):
    code, status = "crowded", 503
    sentence = "The chat is full right now."


class Paused(Refused):
    code, status, own_key_helps = "paused", 503, True
    sentence = "The owner of this chat has paused Claude until further notice."


class NotRecorded(Refused):
    code, status, own_key_helps = "not_recorded", 503, True
    sentence = (
        "This chat cannot record what an answer costs, so it does not ask Claude at the moment."
    )


class Spent(Refused):
    """`retry_after` is the time until the day is over."""

    status, own_key_helps = 429, True


class DayIsSpent(Spent):
    code = "day_is_spent"
    sentence = "Today's budget for this chat is used up. It renews at 00:00 UTC."


class VisitorIsSpent(Spent):
    code = "visitor_is_spent"
    sentence = "You have used today's free allowance. It renews at 00:00 UTC."


class TooLittleLeft(Spent):
    """A shorter conversation, or the same one once another answer has ended, may still be paid
    for."""

    code = "too_little_left"
    sentence = (
        "Not enough is left today for this. A new chat may help, or the end of an answer that is"
        " still being written. The budget renews at 00:00 UTC."
    )


class ClaudeError(ChatError):
    pass


class OwnersAffair(ClaudeError):
    """Visitors can do nothing about it, and learn nothing of it."""

    code, status, own_key_helps = "unavailable", 503, True
    sentence = "This chat cannot reach Claude at the moment."


class KeyRejected(OwnersAffair):
    cause = "key_rejected"
    for_owner = "Claude does not accept the API key. Check ANTHROPIC_API_KEY."


class NotPermitted(OwnersAffair):
    cause = "not_permitted"
    for_owner = (
        "The API key is not allowed to do this. Check its permissions in the Claude Console."
    )


class NoCredit(OwnersAffair):
    cause = "no_credit"
    for_owner = (
        "The account behind the key has no credit. Add some at Plans & Billing. "
        "If there is some, the account has reached its spend limit."
    )


class UnknownModel(OwnersAffair):
    cause = "unknown_model"
    for_owner = (
        "Claude does not know the chosen model, or the key may not use it. Check STREAMCHAT_MODEL."
    )


class WrongAddress(OwnersAffair):
    cause = "wrong_address"
    for_owner = "There is no Claude at the address that is set. Check ANTHROPIC_BASE_URL."


class OwnKeyRejected(ClaudeError):
    code, status = "own_key_rejected", 401
    sentence = (
        "Claude does not accept your API key. Copy it anew from the Claude Console, or ask"
        " without it."
    )


class OwnNotPermitted(ClaudeError):
    code, status = "own_not_permitted", 403
    sentence = (
        "Your API key may not use the model of this chat. Check its permissions in the Claude"
        " Console."
    )


class OwnNoCredit(ClaudeError):
    code, status = "own_no_credit", 402
    sentence = "The account behind your API key has no credit left or has reached its spend limit."


class RequestRejected(ClaudeError):
    """`parameters` are those that were refused, by name."""

    code, status = "request_rejected", 502
    sentence = "Claude did not accept this request."
    parameters: frozenset[str] = frozenset()


class ConversationTooLarge(ClaudeError):
    code, status = "conversation_too_large", 413
    sentence = "This conversation has grown too large for Claude. Start a new chat."


class RateLimited(ClaudeError):
    code, status, retryable = "rate_limited", 429, True
    sentence = "Claude's rate limit for the API key is reached."


class Busy(ClaudeError):
    code, status, retryable = "busy", 503, True
    sentence = "Claude is busy."


class ClaudeFault(ClaudeError):
    code, status, retryable = "claude_fault", 502, True
    sentence = "Claude had an internal fault."


class Unreachable(ClaudeError):
    code, status, retryable = "unreachable", 503, True
    sentence = "Claude cannot be reached."


class Silent(ClaudeError):
    code, status, retryable = "silent", 504, True
    sentence = "Claude fell silent."


class TookTooLong(ClaudeError):
    code, status = "took_too_long", 504
    sentence = "This answer took longer than one may take here."


class BrokenOff(ClaudeError):
    code, status, retryable = "broken_off", 502, True
    sentence = "The connection to Claude broke off."


class Unreadable(ClaudeError):
    code, status, retryable = "unreadable", 502, True
    sentence = "Claude's answer could not be read."


class NotAStream(ClaudeError):
    code, status = "not_a_stream", 502
    sentence = "What answered in Claude's place did not send a stream. Is there a proxy in between?"


class InternalError(ChatError):
    code, status = "internal", 500
    sentence = "Something went wrong inside this chat; it is not your doing."


def trace(error: BaseException) -> str:
    """Where an unforeseen error came from, on one line; without its message, which may hold what
    people wrote."""
    places = [
        f"{Path(frame.f_code.co_filename).name}:{line}"
        for frame, line in walk_tb(error.__traceback__)
    ]
    return f"{type(error).__name__} at {' < '.join(reversed(places)) or 'an unknown place'}"
