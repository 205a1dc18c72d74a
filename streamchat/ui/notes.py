"""Notes beside a conversation: failures with the one action that helps, and receipts."""

from typing import Any

from streamchat import texts
from streamchat.errors import ChatError
from streamchat.events import WHOLE, Done, Failed, well_formed
from streamchat.ui.actions import Action, after_ending, after_refusal
from streamchat.ui.content import CALLOUT, plain
from streamchat.ui.content import NOTE as MARK
from streamchat.ui.receipts import receipt

# one message as gr.Chatbot takes and returns it
Shown = dict[str, Any]

NOTE = "note"


def made(role: str, text: str) -> Shown:
    """A message with its text as a part, because Gradio would remove the indentation of a str."""
    return {"role": role, "content": [{"type": "text", "text": well_formed(text)}]}


def message_of(role: str, text: str) -> Shown:
    """A message by a person or Claude, without the marks of our own notes."""
    return made(role, plain(text))


def closing(ending: Done | Failed, text: str) -> list[Shown]:
    """The notes under an answer: the reason of an early end, and the receipt."""
    wrong, action = fault(ending, text), after_ending(ending, begun=bool(text.strip()))
    stands_out = isinstance(ending, Failed) or (action is not None and action.code == "new_chat")
    faults = [callout(wrong, action) if stands_out else note(wrong, action)] if wrong else []
    paid = receipt(ending)
    return [*faults, *([_note(paid)] if paid else [])]


def fault(ending: Done | Failed, text: str) -> str:
    """The sentence about an answer that ended early; empty for a whole one."""
    if isinstance(ending, Failed):
        return texts.failure(texts.worded(ending), ending.retry_after)
    if ending.reason not in WHOLE:
        return texts.ending(ending.reason)
    return "" if text.strip() else texts.text("no_words")


def note(sentence: str, action: Action | None = None) -> Shown:
    return _note(MARK + plain(f"ⓘ {sentence}") + _link(action))


def aside(text: str) -> Shown:
    """A message beside the conversation, which never goes back to Claude."""
    return _note(MARK + plain(text))


def callout(sentence: str, action: Action | None = None) -> Shown:
    """A note that stands out."""
    return _note(CALLOUT + plain(sentence) + _link(action))


def refusal(error: ChatError, *, takes_keys: bool = False) -> Shown:
    """The error in place of an answer, with its action."""
    sentence = texts.failure(texts.worded(error), error.retry_after)
    return callout(sentence, after_refusal(error, takes_keys=takes_keys))


def is_note(message: Shown) -> bool:
    return bool((message.get("metadata") or {}).get("id") == NOTE)


def _note(text: str) -> Shown:
    return made("assistant", text) | {"metadata": {"id": NOTE}}


def _link(action: Action | None) -> str:
    """The action's link, behind a mark that foreign text cannot contain; callout.js makes it a
    button."""
    return f"{MARK}\n\n{action.link}" if action else ""
