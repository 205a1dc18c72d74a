"""Values that name a file or a URL, which Gradio would copy into its cache and serve."""

import inspect
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio import processing_utils
from gradio.blocks import Block
from gradio.utils import get_upload_folder

from streamchat.ui.gradio_internals.files import INTO_THE_CACHE
from tests.application import ROOT
from tests.attacks.caller import Caller, calling

META = {"meta": {"_type": "gradio.FileData"}}


@pytest.fixture(scope="module")
def bare() -> Iterator[Caller]:
    """A visitor of Gradio without the chat's middleware."""
    with calling() as caller:
        yield caller


def call(caller: Caller, event: str, *data: Any, **fields: Any) -> str:
    return str(caller.post("run/x", caller.body(event, *data, **fields)).text)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / f"{secrets.token_hex(8)}.txt"
    path.write_text("Nobody may read this.")
    return path


def copies(path: Path) -> list[Path]:
    return list(Path(get_upload_folder()).rglob(path.name))


def test_an_edited_message_copies_no_file(bare: Caller, secret: Path) -> None:
    """A visitor cannot read the server's files through an edited message."""
    edit = {"index": 0, "previous_value": "", "value": {"text": "x", "files": [str(secret)]}}
    call(bare, "_edit_message", [], event_data=edit)
    assert "file=" not in call(bare, "_append_message_to_history_2", None, None)
    assert copies(secret) == []


def test_an_option_copies_no_file(bare: Caller, secret: Path) -> None:
    """A visitor cannot read the server's files through an option that was never offered."""
    option = {"index": 0, "value": {"path": str(secret)}}
    assert "file=" not in call(bare, "option_clicked", [], event_data=option)
    assert copies(secret) == []


def test_an_example_copies_no_file(bare: Caller, secret: Path) -> None:
    """A visitor cannot read the server's files through an example that does not exist."""
    example = {"index": 0, "value": {"text": "x", "files": [{"path": str(secret)}]}}
    assert "file=" not in call(bare, "example_clicked", event_data=example)
    assert copies(secret) == []


PARTS: dict[str, Any] = {
    "file": lambda path: {"type": "file", "file": {"path": path, **META}},
    "file without a mark": lambda path: {"type": "file", "file": {"path": path}},
    "stream": lambda path: {"type": "file", "file": {"path": path, "is_stream": True, **META}},
    "address": lambda _: {"type": "file", "file": {"path": "https://example.org/x.png", **META}},
    "address beside a path": lambda path: {
        "type": "file",
        "file": {"path": path, "url": "https://example.org", **META},
    },
    "component": lambda path: component("file", path),
    "component of an address": lambda _: component("file", "http://127.0.0.1:1/x"),
    "gallery": lambda path: component(
        "gallery", [{"image": {"path": path, **META}, "caption": None}]
    ),
    "html": lambda _: component("html", "<img src=x onerror=alert(1)>"),
    "image as bytes": lambda _: component("image", "data:image/png;base64,iVBORw0KGgo="),
}


def component(name: str, value: Any) -> dict[str, Any]:
    return {
        "type": "component",
        "component": name,
        "value": value,
        "constructor_args": {},
        "props": {},
    }


@pytest.mark.parametrize("part", PARTS)
def test_a_forged_history_copies_nothing_and_comes_back_to_nobody(
    bare: Caller, secret: Path, part: str
) -> None:
    """The chatbot refuses a history with files, URLs or components."""
    message = {
        "role": "user",
        "metadata": None,
        "options": None,
        "content": [PARTS[part](str(secret))],
    }
    assert '"error"' in call(bare, "lambda", [message])
    assert call(bare, "_append_message_to_history", None, [message]).count(str(secret)) == 0
    assert copies(secret) == []


@pytest.mark.parametrize("owner_and_name", INTO_THE_CACHE, ids=str)
def test_no_way_into_the_cache_is_open(owner_and_name: tuple[Any, str]) -> None:
    """Each of Gradio's functions that write into its cache refuses."""
    owner, name = owner_and_name
    with pytest.raises(gr.Error, match="takes no files"):
        getattr(owner, name)("x", "y")


def test_no_way_into_the_cache_is_forgotten() -> None:
    """The list of functions that write into Gradio's cache is complete for this release of Gradio."""
    ways = re.compile(r"\w*(_to_(block_)?cache|download)\w*")
    known = {name for _, name in INTO_THE_CACHE} | {
        "move_files_to_cache",
        "async_move_files_to_cache",
    }
    found = {
        name
        for place in (Block, processing_utils)
        for name, _ in inspect.getmembers(place, callable)
    }
    assert {name for name in found if ways.fullmatch(name)} - known == set()


PLAIN = """
import json, sys, urllib.request
import gradio as gr
blocked, secret = sys.argv[1:]
with gr.ChatInterface(lambda message, history: message, editable=True, cache_examples=False) as demo: pass
_, url, _ = demo.launch(blocked_paths=[blocked], prevent_thread_lock=True, quiet=True, ssr_mode=False)
def call(event, data, event_data):
    number = next(number for number, fn in demo.fns.items() if fn.api_name == event)
    body = {"fn_index": number, "session_hash": "s", "trigger_id": 5, "data": data, "event_data": event_data}
    json_type = {"content-type": "application/json"}
    asked = urllib.request.Request(url + "gradio_api/run/x", json.dumps(body).encode(), json_type)
    try: return urllib.request.urlopen(asked).read().decode()
    except urllib.error.HTTPError as error: return error.read().decode()
call("_edit_message", [[]], {"index": 0, "previous_value": "", "value": {"text": "x", "files": [secret]}})
print(call("_append_message_to_history_2", [None, None], None))
"""


@pytest.mark.parametrize(("blocked", "stolen"), [("/nowhere", True), (Path(ROOT).anchor, False)])
@pytest.mark.process
def test_blocking_the_whole_disk_is_enough_by_itself(
    secret: Path, blocked: str, stolen: bool
) -> None:
    """`blocked_paths` alone keeps the server's files out of Gradio's cache."""
    command = [sys.executable, "-c", PLAIN, blocked, str(secret)]
    printed = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=secret.parent
    ).stdout
    assert (secret.name in printed.splitlines()[-1]) is stolen
