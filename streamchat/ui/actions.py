"""The one action that helps after a failure, as a code that the page knows."""

from dataclasses import dataclass

from streamchat import texts
from streamchat.errors import ChatError
from streamchat.events import WHOLE, Done, Failed

# seconds; a longer wait gets no button
SOON = 300
NEW_CHAT = {
    "too_long",
    "chat_full",
    "too_dear",
    "too_little_left",
    "conversation_too_large",
    "model_context_window_exceeded",
    "refusal",
}
OWN_KEY_HELPS = {"unavailable"}
OTHER_KEY = {"bad_key", "own_key_rejected", "own_not_permitted", "own_no_credit"}
# the same question would get the same answer
FINAL = {
    "message_too_long",
    "empty_message",
    "request_rejected",
    "no_own_keys",
    "wrong_choice",
    "not_offered",
    "beyond_share",
    "paused",
    "not_recorded",
}


@dataclass(frozen=True, slots=True)
class Action:
    """A button under a note. `code` is one of "retry", "go_on", "new_chat", "own_key" and
    "other_key"; the action makes sense after `wait` seconds."""

    code: str
    wait: int = 0

    @property
    def link(self) -> str:
        """The action as a Markdown link."""
        wait = f"-{self.wait}" if self.wait else ""
        return f"[{texts.text(self.code)}](#{self.code}{wait})"


def after_refusal(error: ChatError, *, takes_keys: bool) -> Action | None:
    if takes_keys and error.own_key_helps:
        return Action("own_key")
    return _after(error.sentence, error.retry_after)


def after_ending(ending: Done | Failed, *, begun: bool) -> Action | None:
    """The action under an answer with this ending. The page hides one that needs a key if visitors
    cannot bring one."""
    if isinstance(ending, Done):
        return _after_done(ending.reason, begun=begun)
    if begun and ending.sentence not in NEW_CHAT:
        return Action("go_on")
    if ending.sentence in OWN_KEY_HELPS:
        return Action("own_key")
    return _after(ending.sentence, ending.retry_after)


def _after_done(reason: str, *, begun: bool) -> Action | None:
    if reason in NEW_CHAT:
        return Action("new_chat")
    if reason in WHOLE:
        return None if begun else Action("retry")
    return Action("go_on") if begun else None


def _after(sentence: str, retry_after: float | None) -> Action | None:
    if sentence in NEW_CHAT:
        return Action("new_chat")
    if sentence in OTHER_KEY:
        return Action("other_key")
    wait = -int(-(retry_after or 0) // 1)
    return None if sentence in FINAL or wait > SOON else Action("retry", wait)
