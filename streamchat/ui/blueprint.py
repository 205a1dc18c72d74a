"""The events of the finished page that a browser may call, and the values that they take."""

import inspect
from functools import lru_cache
from itertools import islice
from typing import Any

import gradio as gr

from streamchat.ui.transcript import NOTE
from streamchat.web.allowlist import ID
from streamchat.web.calls import Event, Events, Kind

# of a conversation; a page refuses to go on long before
MAX_MESSAGES = 2_000
TRIGGERS = {"load", "submit", "stop", "retry", "undo", "edit", "example_select"}
# the ids of those that can be clicked
BUTTONS = {"continue", "switch"}
ROLES = ("user", "assistant")
# of Gradio's: what calls a Python function, and when
Function = Any


@lru_cache(maxsize=1)
def events(page: gr.Blocks) -> Events:
    """The events that a browser may call. Raises `KeyError` for a component that the table does not
    have."""
    used = {number: fn for number, fn in page.fns.items() if fn.fn and _is_used(page, fn)}
    return Events(
        {number: _event(number, fn) for number, fn in used.items()},
        {fn.api_name or "": _event(number, fn) for number, fn in used.items() if _is_endpoint(fn)},
        frozenset(target for fn in used.values() for target, _ in fn.targets if target is not None),
    )


def _is_endpoint(fn: Function) -> bool:
    return bool(fn.api_visibility == "public")


def _is_used(page: gr.Blocks, fn: Function) -> bool:
    """Whether programs call the event, or one of the triggers or a used event starts it."""
    if fn.trigger_after is not None:
        return _is_used(page, page.fns[fn.trigger_after])
    return _is_endpoint(fn) or any(
        event in TRIGGERS or _is_button(page, target) for target, event in fn.targets
    )


def _is_button(page: gr.Blocks, target: int) -> bool:
    return getattr(page.blocks[target], "elem_id", None) in BUTTONS


def _event(number: int, fn: Function) -> Event:
    data = next((DATA[event] for _, event in fn.targets if event in DATA), NOTHING)
    names = tuple(islice(inspect.signature(fn.fn).parameters, len(fn.inputs)))
    return Event(number, fn.queue is not False, tuple(map(_kind, fn.inputs)), names, data)


def _kind(component: Any) -> Kind:
    return IDENTIFIER if component.elem_id == "tab" else KINDS[component.get_block_name()]


def is_message(value: Any) -> bool:
    """Whether it is a message by `user` or `assistant` as the page sends it back."""
    match value:
        case {"role": "user" | "assistant" as role, "content": [_, *_] as parts, **rest}:
            metadata, options = rest.pop("metadata", None), rest.pop("options", None)
            aside = role == "assistant" and _is_metadata(metadata)
            return (
                not rest
                and not options
                and (metadata is None or aside)
                and all(map(_is_text_part, parts))
            )
    return False


def _is_text_part(part: Any) -> bool:
    match part:
        case {"type": "text", "text": str(), **rest}:
            return not rest
    return False


def _is_metadata(value: Any) -> bool:
    """Whether it is metadata of the page's own notes and thoughts."""
    match value:
        case {"id": id_, **rest}:
            return id_ == NOTE and not rest
        case {"title": "Thinking", "status": "pending" | "done", **rest}:
            return rest.keys() <= {"duration"} and isinstance(rest.get("duration", 0), int | float)
    return False


def _are_messages(value: Any) -> bool:
    return value is None or (
        isinstance(value, list) and len(value) <= MAX_MESSAGES and all(map(is_message, value))
    )


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_index(value: Any) -> bool:
    numbers = value if isinstance(value, list) and len(value) <= 2 else [value]
    return all(type(number) is int for number in numbers)


def _is_chosen(value: Any) -> bool:
    match value:
        case {"index": index, "value": text, **rest}:
            return _is_index(index) and _is_text(text) and not rest
    return value is None


def _is_example(value: Any) -> bool:
    match value:
        case {"index": index, "value": {"text": str(), **more}, **rest}:
            return _is_index(index) and not more and not rest
    return False


def _is_edit(value: Any) -> bool:
    match value:
        case {"index": index, "value": str(), "previous_value": before, **rest}:
            parts = rest.pop("_dispatch_value", [])
            return _is_index(index) and _is_text(before) and not rest and _is_text_or_parts(parts)
    return False


def _is_text_or_parts(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(map(_is_text_part, value)))


NOTHING = Kind(lambda value: value in (None, []), "takes_no_value")
TEXT = Kind(_is_text, "not_a_text")
IDENTIFIER = Kind(
    lambda value: value in (None, "") or (isinstance(value, str) and bool(ID.fullmatch(value))),
    "bad_tab_id",
)
MESSAGES = Kind(_are_messages, "not_messages", {"most": MAX_MESSAGES})
KINDS = {
    "textbox": TEXT,
    "api": TEXT,
    "chatbot": MESSAGES,
    "state": NOTHING,
    "browserstate": NOTHING,
}
CHOSEN = Kind(_is_chosen, "not_chosen")
DATA = {
    "retry": CHOSEN,
    "undo": CHOSEN,
    "example_select": Kind(_is_example, "not_an_example"),
    "edit": Kind(
        _is_edit,
        "not_an_edit",
    ),
}
