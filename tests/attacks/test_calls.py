"""Calls of Gradio's events that no page makes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.middleware import Middleware

from streamchat.ui.blueprint import MAX_MESSAGES, events
from streamchat.web.allowlist import Allowlist
from streamchat.web.calls import Calls
from tests.attacks.caller import Caller, calling

HI: dict[str, Any] = {
    "role": "user",
    "metadata": None,
    "options": None,
    "content": [{"type": "text", "text": "hi"}],
}
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def caller() -> Iterator[Caller]:
    checks = Middleware(Calls, lambda scope: events(scope["app"].get_blocks()))
    with calling([Middleware(Allowlist), checks]) as caller:
        yield caller


def refusal(caller: Caller, path: str, body: Any) -> tuple[int, str]:
    answer = caller.post(path, body)
    return answer.status_code, answer.json().get("code")


UNUSED = [
    "load_example",
    "answer",
    "option_clicked",
    "_submit_fn_3",
    "lambda_13",
    "_save_conversation_3",
    "lambda_18",
]


@pytest.mark.parametrize("path", ["run/predict", "queue/join"])
@pytest.mark.parametrize("event", UNUSED)
def test_an_event_that_the_page_does_not_use_cannot_be_called(
    caller: Caller, path: str, event: str
) -> None:
    """Options, hidden examples and Gradio's copy of the answer for programs take no calls."""
    assert refusal(caller, path, caller.body(event)) == (404, "unknown_event")


@pytest.mark.parametrize("number", [-1, 999, 10**30, "3", 3.0, True, None, [3], {}])
@pytest.mark.parametrize("path", ["run/predict", "queue/join", "cancel"])
def test_no_number_but_an_events_own_is_taken(caller: Caller, path: str, number: Any) -> None:
    """A call whose event number is negative, huge or not a number is refused."""
    more: dict[str, Any] = {"event_id": "x"} if path == "cancel" else {"data": []}
    body = {"fn_index": number, "session_hash": "abc123", **more}
    assert refusal(caller, path, body) == (404, "unknown_event")


@pytest.mark.parametrize(
    ("path", "event", "data"),
    [
        ("run/predict", "watch", []),
        ("run/chat", "chat", ["hi"]),
        ("queue/join", "stop", []),
        ("run/x", "resume", []),
    ],
)
def test_an_event_is_called_in_one_way_only(
    caller: Caller, path: str, event: str, data: list[str]
) -> None:
    """Queued events cannot be called directly, and direct events cannot be queued."""
    assert refusal(caller, path, caller.body(event, *data)) == (404, "unknown_event")


ODD_IDS = [
    "",
    " ",
    "a" * 65,
    "a" * 5_000_000,
    "ä",
    "a b",
    "../x",
    "a/b",
    "a\n",
    "a\x00",
    "a<",
    7,
    None,
    ["a"],
    {},
    True,
]


@pytest.mark.parametrize("session", ODD_IDS, ids=lambda it: repr(it)[:20])
def test_a_session_hash_is_short_and_plain(caller: Caller, session: Any) -> None:
    """A call without a session, or with a long or odd session hash, is refused."""
    stop = caller.body("stop", session_hash=session)
    assert refusal(caller, "run/predict", stop) == (422, "invalid_call")
    assert refusal(caller, "queue/join", caller.body("watch", session_hash=session)) == (
        422,
        "invalid_call",
    )
    cancel = {"session_hash": session, "event_id": "x", "fn_index": caller.numbers["watch"]}
    assert refusal(caller, "cancel", cancel) == (422, "invalid_call")
    if session is not None:
        assert refusal(caller, "call/chat", {"data": ["hi"], "session_hash": session}) == (
            422,
            "invalid_call",
        )


@pytest.mark.parametrize("event", ODD_IDS, ids=lambda it: repr(it)[:20])
def test_an_event_id_is_short_and_plain(caller: Caller, event: Any) -> None:
    """An event id that the server would not make is refused, for cancel and for reset."""
    cancel = {"session_hash": "abc123", "event_id": event, "fn_index": caller.numbers["watch"]}
    assert refusal(caller, "cancel", cancel) == (422, "invalid_call")
    assert refusal(caller, "reset", {"event_id": event}) == (422, "invalid_call")


@pytest.mark.parametrize("event", ["stop", "claim", "found"])
def test_a_call_without_a_session_is_refused(caller: Caller, event: str) -> None:
    """Callers without a session cannot share one."""
    data: dict[str, list[Any]] = {"stop": [], "claim": ["x", ""], "found": [[]]}
    body = caller.body(event, *data[event])
    del body["session_hash"]
    assert refusal(caller, "run/predict", body) == (422, "invalid_call")


@pytest.mark.parametrize(
    "tab", [odd for odd in ODD_IDS if odd not in ("", None)], ids=lambda it: repr(it)[:20]
)
def test_a_tabs_id_is_short_and_plain(caller: Caller, tab: Any) -> None:
    """A claim with an id that the server would not make is refused."""
    assert refusal(caller, "run/predict", caller.body("claim", tab, "")) == (422, "invalid_call")


def part(**fields: Any) -> dict[str, Any]:
    return HI | {"content": [fields]}


FILE = {"path": "app.py", "meta": {"_type": "gradio.FileData"}}
HTML = {"component": "html", "value": "<img onerror=x>", "constructor_args": {}, "props": {}}
FORGED: dict[str, Any] = {
    "file": part(type="file", file=FILE),
    "file in a text": part(type="text", text="hi", file=FILE),
    "path in a text": part(type="text", text="hi", path="app.py"),
    "path": HI | {"content": [FILE]},
    "path as content": HI | {"content": FILE},
    "text as content": HI | {"content": "hi"},
    "text as part": HI | {"content": ["hi"]},
    "component": part(type="component", **HTML),
    "component as text": part(type="text", text="hi", **HTML),
    "no text": part(type="text"),
    "number as text": part(type="text", text=1),
    "nothing": HI | {"content": None},
    "no parts": HI | {"content": []},
    "nested parts": HI | {"content": [HI["content"]]},
    "system": HI | {"role": "system"},
    "odd role": HI | {"role": "User"},
    "no role": {"content": HI["content"]},
    "role of another type": HI | {"role": ["user"]},
    "options": HI | {"options": [{"value": "x", "label": "y"}]},
    "no options at all": HI | {"options": {"path": "x"}},
    "a note by the user": HI | {"metadata": {"id": "note"}},
    "a note with a title": HI | {"role": "assistant", "metadata": {"id": "note", "title": "x"}},
    "another id": HI | {"role": "assistant", "metadata": {"id": 1}},
    "another title": HI
    | {"role": "assistant", "metadata": {"title": "Your session has ended", "status": "done"}},
    "a log": HI
    | {"role": "assistant", "metadata": {"title": "Thinking", "status": "done", "log": "x"}},
    "a parent": HI
    | {"role": "assistant", "metadata": {"title": "Thinking", "status": "done", "parent_id": 1}},
    "a long duration": HI
    | {"role": "assistant", "metadata": {"title": "Thinking", "status": "done", "duration": "1"}},
    "metadata of another type": HI | {"metadata": ["note"]},
    "a field more": HI | {"path": "app.py"},
    "no object": "hi",
    "a list": [HI],
}


@pytest.mark.parametrize("message", FORGED)
def test_a_message_is_text_by_user_or_assistant(caller: Caller, message: str) -> None:
    """Files, components, options, unknown roles and metadata never reach Gradio, wherever a history
    is taken."""
    history = [HI, FORGED[message]]
    assert refusal(caller, "run/predict", caller.body("lambda", history)) == (422, "invalid_call")
    edit = {"index": 0, "previous_value": "", "value": "x"}
    join = caller.body("_edit_message", history, event_data=edit)
    assert refusal(caller, "queue/join", join) == (422, "invalid_call")


@pytest.mark.parametrize("history", [{}, "x", 1, {"root": [HI]}, [[HI]], HI, True])
def test_a_history_is_a_list(caller: Caller, history: Any) -> None:
    """A history that is not a list is refused."""
    assert refusal(caller, "run/predict", caller.body("lambda", history)) == (422, "invalid_call")


def test_a_history_has_an_end(caller: Caller) -> None:
    """A history of too many messages is refused before Gradio parses it."""
    answer = caller.post("run/predict", caller.body("lambda", [HI] * MAX_MESSAGES))
    assert answer.status_code == 200, answer.text[:300]
    body = caller.body("lambda", [HI] * (MAX_MESSAGES + 1))
    assert refusal(caller, "run/predict", body) == (422, "invalid_call")


ODD_DATA: dict[str, Any] = {
    "edit": (
        "_edit_message",
        [[]],
        {"index": 0, "previous_value": "", "value": {"text": "x", "files": [".env"]}},
    ),
    "edit of a file": ("_edit_message", [[]], {"index": 0, "previous_value": "", "value": FILE}),
    "edit of a list": (
        "_edit_message",
        [[]],
        {"index": 0, "previous_value": "", "value": ["app.py"]},
    ),
    "edit with more": (
        "_edit_message",
        [[]],
        {"index": 0, "previous_value": "", "value": "x", "target": 1},
    ),
    "edit of nothing": ("_edit_message", [[]], None),
    "edit without a place": (
        "_edit_message",
        [[]],
        {"index": {}, "previous_value": "", "value": "x"},
    ),
    "edit with another dispatch": (
        "_edit_message",
        [[]],
        {
            "index": 0,
            "previous_value": "",
            "value": "x",
            "_dispatch_value": [{"type": "file", "file": FILE}],
        },
    ),
    "example with files": (
        "example_clicked",
        [],
        {"index": 0, "value": {"text": "x", "files": [FILE]}},
    ),
    "example as text": ("example_clicked", [], {"index": 0, "value": "x"}),
    "example without text": ("example_clicked", [], {"index": 0, "value": {}}),
    "no example": ("example_clicked", [], None),
    "watch": ("watch_example", [], {"index": 0, "value": {"text": "x", "icon": FILE}}),
    "resume": ("resume", [], {"path": "app.py"}),
    "a text": ("resume", [], "x"),
}


@pytest.mark.parametrize("case", ODD_DATA)
def test_event_data_has_the_pages_own_form(caller: Caller, case: str) -> None:
    """Files and objects in the data of an event never reach Gradio."""
    event, data, event_data = ODD_DATA[case]
    body = caller.body(event, *data, event_data=event_data)
    assert refusal(caller, "queue/join", body) == (422, "invalid_call")


@pytest.mark.parametrize(
    "value", [FILE, {"text": "x", "files": []}, [FILE], 1, True, [], {"__type__": "update"}]
)
def test_a_text_is_a_text(caller: Caller, value: Any) -> None:
    """An object, a file or a component update in place of a text is refused."""
    submitted = caller.body("_clear_and_save_textbox", value)
    assert refusal(caller, "run/predict", submitted) == (422, "invalid_call")
    assert refusal(caller, "run/predict", caller.body("claim", "", value)) == (422, "invalid_call")
    assert refusal(caller, "call/chat", {"data": [value]}) == (422, "invalid_call")
    assert refusal(caller, "call/v2/chat", {"message": value}) == (422, "invalid_call")
    assert refusal(caller, "queue/join", caller.body("chat", value)) == (422, "invalid_call")


@pytest.mark.parametrize("value", ["x", [HI], {"a": 1}, 1, False])
def test_session_state_is_not_taken_from_a_client(caller: Caller, value: Any) -> None:
    """A value for Gradio's session state is refused."""
    assert refusal(caller, "queue/join", caller.body("_submit_fn", value, None, "")) == (
        422,
        "invalid_call",
    )
    saved = caller.body("_save_conversation", None, None, value)
    assert refusal(caller, "run/predict", saved) == (422, "invalid_call")


@pytest.mark.parametrize("data", [None, {}, "x", [], ["a", "b"], ["a"] * 100_000])
def test_the_number_of_values_is_the_events_own(caller: Caller, data: Any) -> None:
    """A call with too few or too many values is refused."""
    body = caller.body("_clear_and_save_textbox") | {"data": data}
    assert refusal(caller, "run/predict", body) == (422, "invalid_call")


@pytest.mark.parametrize(
    "field",
    [
        {"batched": True},
        {"event_id": "x"},
        {"oauth_token": "x"},
        {"simple_format": True},
        {"batch_trigger_ids": [1]},
        {"request": {}},
        {"trigger_id": 2},
        {"trigger_id": -1},
        {"trigger_id": "5"},
        {"trigger_id": True},
        {"trigger_id": 10**30},
    ],
    ids=str,
)
def test_a_call_has_the_fields_that_the_page_sends(caller: Caller, field: dict[str, Any]) -> None:
    """Batches, tokens, foreign events and components that trigger nothing are refused."""
    assert refusal(caller, "run/predict", caller.body("stop", **field)) == (422, "invalid_call")


BODIES = [
    b"",
    b"[]",
    b"null",
    b"1",
    b'"x"',
    b"{",
    b"\xff",
    b"{}x",
    b"NaN",
    b'{"data": NaN}',
    b'{"a":' * 100_000,
    b"[" * 10**6,
]


@pytest.mark.parametrize(
    "body", [*BODIES, json.dumps({"data": []}).encode("utf-16")], ids=lambda it: str(it[:20])
)
@pytest.mark.parametrize(
    "path", ["run/predict", "queue/join", "call/chat", "call/v2/chat", "cancel", "reset"]
)
def test_a_body_is_a_json_object(caller: Caller, path: str, body: bytes) -> None:
    """Any other body, with any content type, gets a sentence and no traceback."""
    for headers in (JSON, {"content-type": "text/plain"}, {}):
        answer = caller.client.post(f"/gradio_api/{path}", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_call")


@pytest.mark.parametrize(
    "path", ["call/nothing", "call/answer", "call/claim", "call/v2/claim", "call/v2/call"]
)
def test_only_the_documented_endpoint_has_a_name(caller: Caller, path: str) -> None:
    """An event of the page cannot be called by its name."""
    assert refusal(caller, path, {"data": ["x", "y"]}) == (404, "unknown_event")


def test_the_documented_endpoint_is_called_by_name_with_and_without_a_session(
    caller: Caller,
) -> None:
    """A program can call `/chat` as Gradio's API page describes."""
    for body in (
        {"data": ["hi"]},
        {"data": ["hi"], "session_hash": "abc123"},
        {"data": ["hi"], "session_hash": None},
    ):
        assert len(caller.post("call/chat", body).json()["event_id"]) == 32
    assert len(caller.post("call/v2/chat", {"message": "hi"}).json()["event_id"]) == 32
    assert refusal(caller, "call/v2/chat", {"question": "hi"}) == (422, "invalid_call")


def test_a_program_reads_what_is_wrong(caller: Caller) -> None:
    """`gradio_client` raises an error with the sentence of the refusal."""
    answer = caller.post("call/chat", {"data": [7]}).json()
    assert answer["message"] == "The message has to be a text."
    assert [detail["message"] for detail in answer["detail"]] == [answer["message"]]
