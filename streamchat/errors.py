"""Every way in which a reply is refused or fails. `texts` has the sentences.

ChatError
├── Refused                    before it began; nothing was spent
│   ├── EmptyMessage           400
│   ├── TooLong                413
│   │   ├── ChatFull           413
│   │   └── MessageTooLong     413
│   ├── TooDear                413
│   ├── BadKey                 400
│   ├── NoOwnKeys              403
│   ├── UnknownReply           404
│   ├── UnknownConversation    404
│   ├── ChangedMeanwhile       409
│   ├── KeyReused              422
│   ├── WrongChoice            422
│   ├── NotOffered             422
│   ├── BeyondShare            422
│   ├── FileRefused            422  or 413 for one that is too large
│   ├── TooManyFiles           429  until some of the hour is over
│   ├── UnknownFile            404
│   ├── FilesNotKept           503
│   ├── TooOften               429
│   │   └── TooManyGuesses     429
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
│   ├── AttachmentRejected     422
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
├── CutOff                     503  the text of an answer ends before its end
│   ├── ShutDown               503
│   └── Abandoned              503
├── NotWhole                   502
├── SourceFailed               502  another source's failure, in its own sentence
└── InternalError              500
"""

from pathlib import Path
from traceback import walk_tb
from typing import ClassVar

# of what a sentence is filled with
Value = str | int | float


class ChatError(Exception):
    """A refusal or failure that can be shown to whoever asked.

    The `values` fill in its sentence. `retry_after` is in seconds; `request_id` is Claude's, for
    the owner's support requests. If an error is `retryable`, the same request may succeed a little
    later. If the code hides the owner's affairs, `cause` names them, for the log and the owner's
    page. `own_key_helps` if a visitor with a key of their own would get an answer.
    """

    code: str
    status: int
    # in place of the code, where several errors have one code
    wording: ClassVar[str] = ""
    cause: ClassVar[str] = ""
    own_key_helps: ClassVar[bool] = False
    retryable: bool = False

    def __init__(
        self,
        *,
        retry_after: float | None = None,
        request_id: str | None = None,
        **values: Value,
    ) -> None:
        self.values = values
        self.retry_after = retry_after
        self.request_id = request_id
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        """The code of its sentence in `texts`."""
        return self.wording or self.code


class Refused(ChatError):
    pass


class EmptyMessage(Refused):
    code, status = "empty_message", 400


class TooLong(Refused):
    code, status = "too_long", 413


class ChatFull(TooLong):
    wording = "chat_full"


class MessageTooLong(TooLong):
    """`most` is the limit on a message, in characters."""

    wording = "message_too_long"


class TooDear(Refused):
    code, status, own_key_helps = "too_dear", 413, True


class BadKey(Refused):
    code, status = "bad_key", 400


class NoOwnKeys(Refused):
    code, status = "no_own_keys", 403


class UnknownReply(Refused):
    code, status = "unknown_reply", 404


class UnknownConversation(Refused):
    code, status = "unknown_conversation", 404


class ChangedMeanwhile(Refused):
    # by another page of the reader's
    code, status = "changed_meanwhile", 409


class KeyReused(Refused):
    code, status = "idempotency_key_reused", 422


class WrongChoice(Refused):
    """`what` names the invalid part of the options."""

    code, status = "wrong_choice", 422


class NotOffered(Refused):
    """`what` names the choice that is not allowed, and `offered` lists the ones that are."""

    code, status = "not_offered", 422


class BeyondShare(Refused):
    code, status, own_key_helps = "beyond_share", 422, True


class FileRefused(Refused):
    """Its code says why: that of a sentence, which takes the `name` of the file."""

    code, status = "file_took_too_long", 422

    def __init__(self, code: str = code, **values: Value) -> None:
        self.code = code
        self.status = 413 if code.endswith("too_large") else self.status
        super().__init__()
        self.values = values

    def of(self, name: str) -> "FileRefused":
        """The refusal of the file of this name."""
        self.values["name"] = name
        return self


class TooManyFiles(Refused):
    code, status = "too_many_files", 429


class UnknownFile(Refused):
    code, status = "unknown_file", 404


class FilesNotKept(Refused):
    code, status = "files_not_kept", 503


class TooOften(Refused):
    code, status = "too_often", 429


class TooManyGuesses(TooOften):
    """Too many wrong passwords; `seconds` is the same as `retry_after`."""

    wording = "too_many_guesses"


class TooManyAtOnce(Refused):
    """`running` is the number of the visitor's running answers."""

    code, status = "too_many_at_once", 429


class Crowded(Refused):
    code, status = "crowded", 503


class Paused(Refused):
    code, status, own_key_helps = "paused", 503, True


class NotRecorded(Refused):
    code, status, own_key_helps = "not_recorded", 503, True


class Spent(Refused):
    """`retry_after` is the time until the end of the day."""

    status, own_key_helps = 429, True


class DayIsSpent(Spent):
    code = "day_is_spent"


class VisitorIsSpent(Spent):
    code = "visitor_is_spent"


class TooLittleLeft(Spent):
    """The money left is enough for a shorter conversation, or will be once a running answer has
    ended."""

    code = "too_little_left"


class ClaudeError(ChatError):
    pass


class OwnersAffair(ClaudeError):
    """An error that only the owner can mend; visitors learn no details."""

    code, status, own_key_helps = "unavailable", 503, True


class KeyRejected(OwnersAffair):
    cause = "key_rejected"


class NotPermitted(OwnersAffair):
    cause = "not_permitted"


class NoCredit(OwnersAffair):
    cause = "no_credit"


class UnknownModel(OwnersAffair):
    cause = "unknown_model"


class WrongAddress(OwnersAffair):
    cause = "wrong_address"


class OwnKeyRejected(ClaudeError):
    code, status = "own_key_rejected", 401


class OwnNotPermitted(ClaudeError):
    code, status = "own_not_permitted", 403


class OwnNoCredit(ClaudeError):
    code, status = "own_no_credit", 402


class RequestRejected(ClaudeError):
    """`parameters` are the names of the refused parameters."""

    code, status = "request_rejected", 502
    parameters: frozenset[str] = frozenset()


class AttachmentRejected(ClaudeError):
    code, status = "attachment_rejected", 422


class ConversationTooLarge(ClaudeError):
    code, status = "conversation_too_large", 413


class RateLimited(ClaudeError):
    code, status, retryable = "rate_limited", 429, True


class Busy(ClaudeError):
    code, status, retryable = "busy", 503, True


class ClaudeFault(ClaudeError):
    code, status, retryable = "claude_fault", 502, True


class Unreachable(ClaudeError):
    code, status, retryable = "unreachable", 503, True


class Silent(ClaudeError):
    code, status, retryable = "silent", 504, True


class TookTooLong(ClaudeError):
    code, status = "took_too_long", 504


class BrokenOff(ClaudeError):
    code, status, retryable = "broken_off", 502, True


class Unreadable(ClaudeError):
    code, status, retryable = "unreadable", 502, True


class NotAStream(ClaudeError):
    code, status = "not_a_stream", 502


class CutOff(ChatError):
    status, wording = 503, "cut_off"


class ShutDown(CutOff):
    code = "shutdown"


class Abandoned(CutOff):
    code = "abandoned"


class NotWhole(ChatError):
    code, status = "not_whole", 502


class SourceFailed(ChatError):
    """A source other than Claude and the demo failed; `said` is its sentence for the reader."""

    code, status = "source_failed", 502

    def __init__(self, said: str = "") -> None:
        super().__init__(said=said)


class InternalError(ChatError):
    code, status = "internal", 500


def trace(error: BaseException) -> str:
    """The places an unforeseen error came from, on one line, without its message, which may hold
    what people wrote."""
    places = [
        f"{Path(frame.f_code.co_filename).name}:{line}"
        for frame, line in walk_tb(error.__traceback__)
    ]
    return f"{type(error).__name__} at {' < '.join(reversed(places)) or 'an unknown place'}"
