"""The end of the program when its start fails or is interrupted."""

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.application import ROOT, Application

pytestmark = pytest.mark.process

SCRIPT = """
import os, signal, threading
os.environ["ANTHROPIC_API_KEY"] = ""
from dataclasses import replace
from streamchat.system.listener import Listener
from streamchat.process import Process
from streamchat.server import create
from streamchat.settings import Settings
from tests.test_server import BrokenChat, SlowChat
settings = Settings(data_dir="")
class Starting(SlowChat):
    async def open(self):
        print("starting", flush=True)
        await super().open()
class Signalled(SlowChat):
    async def open(self):
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        await super().open()
print("made", flush=True)
Process().run(replace(create(settings), chat={chat}), Listener.open(), share=False)
"""


def process(chat: str) -> Application:
    return Application(command=(sys.executable, "-c", SCRIPT.format(chat=chat)))


def test_an_error_at_the_start_ends_the_program() -> None:
    """An unforeseen error prints a sentence with its place, and exits with 2."""
    with process('BrokenChat(TypeError("a column too many"))') as app:
        output = app.output()
        assert app.process.returncode == 2
    assert "StreamChat cannot start: TypeError in test_server.py, line " in output
    assert output.endswith(": a column too many.\n")
    assert "Traceback" not in output


def test_a_signal_ends_a_start_that_hangs() -> None:
    """SIGTERM during the start exits with 0."""
    with process("Starting(settings)") as app:
        app.wait_for("starting")
        code, _ = app.interrupt(signal.SIGTERM)
        assert code == 0
        assert "Traceback" not in app.output()


def test_a_signal_that_wakes_nobody_ends_a_start_too() -> None:
    """A signal that arrives just before the main thread waits is noticed, too."""
    with process("Signalled(settings)") as app:
        assert app.process.wait(30) == 0


EARLIER = """
from pathlib import Path
from streamchat.process import warn_of_data_elsewhere
from streamchat.settings import Settings
warn_of_data_elsewhere(Settings(data_dir="data"))
"""


def test_conversations_in_an_earlier_place_are_reported(tmp_path: Path) -> None:
    """The program says where an earlier release kept conversations, and where they belong now."""
    kept, here = Path(ROOT, "data"), tmp_path / "data"
    run = partial(subprocess.check_output, [sys.executable, "-c", EARLIER], cwd=tmp_path, text=True)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    assert run(env=environment) == ""
    here.mkdir()
    (here / "streamchat.sqlite3").touch()
    assert (
        run(env=environment)
        == f"There are conversations in {here}, but they are kept in {kept} now. Move that folder"
        " there.\n"
    )
