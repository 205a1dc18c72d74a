"""`python app.py` in a process of its own, as a person runs it."""

import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from tests import forked
from tests.forked import Forked

ROOT = Path(__file__).parent.parent
# the `.env` of whoever runs the tests is not in it, and what is kept there is gone with it
INSTALLED = TemporaryDirectory(prefix="streamchat-")
OURS = re.compile(r"^(STREAMCHAT|ANTHROPIC|GRADIO)_|^CI$")


def free_port() -> str:
    """A free port for an app on all addresses, which would otherwise take the default port from
    other tests' apps."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])


def install(folder: Path) -> Path:
    """Puts an installation of its own, with its app.py, into the folder."""
    if not (folder / "streamchat").exists():
        (folder / "streamchat").symlink_to(ROOT / "streamchat")
        shutil.copy(ROOT / "app.py", folder)
    return folder / "app.py"


def usual() -> tuple[str, ...]:
    """The command of a person who runs the app."""
    return sys.executable, str(install(Path(INSTALLED.name)))


class Application:
    """Runs until the `with` block ends. `lines` holds what it printed.

    Without a `command`, its process is forked from one that has loaded the libraries, where that
    makes no difference.
    """

    def __init__(
        self,
        *arguments: str,
        command: Sequence[str] = (),
        cwd: Path = ROOT,
        **environment: str,
    ) -> None:
        inherited = {name: value for name, value in os.environ.items() if not OURS.match(name)}
        self.lines: list[str] = []
        self._news: queue.Queue[str | None] = queue.Queue()
        env = {
            **inherited,
            "PYTHONUNBUFFERED": "1",
            "ANTHROPIC_API_KEY": "",
            "STREAMCHAT_DATA_DIR": "",
            # a scripted Claude plays its scripts for answers
            "STREAMCHAT_TITLES": "off",
            **environment,
        }
        # a check of the tests wants to know
        sys.audit("tests.process")
        self.process = self._started([*command], [*arguments], cwd, env, environment)
        threading.Thread(target=self._read, daemon=True).start()

    @staticmethod
    def _started(
        command: list[str],
        arguments: list[str],
        cwd: Path,
        env: dict[str, str],
        own: dict[str, str],
    ) -> subprocess.Popen[str] | Forked:
        if not command and forked.fits(own):
            return Forked([usual()[-1], *arguments], cwd=cwd, env=env)
        return subprocess.Popen(
            [*(command or usual()), *arguments],
            cwd=cwd,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # so that a signal reaches all of its processes, as Ctrl-C in a terminal does
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def url(self) -> str:
        return self.wait_for(r"StreamChat is at (http\S+)").rstrip("/")

    def wait_for(self, pattern: str, timeout: float = 60) -> str:
        """The first group of the first printed line that matches."""
        deadline = time.monotonic() + timeout
        seen = iter(list(self.lines))
        while True:
            line = next(seen, None) or self._next(deadline)
            if found := re.search(pattern, line):
                return found.group(found.lastindex or 0)

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> tuple[int, float]:
        """Sends the signal; returns the exit code and the seconds until the process ended."""
        began = time.monotonic()
        os.killpg(self.process.pid, number)
        return self.process.wait(30), time.monotonic() - began

    def output(self) -> str:
        """All it printed, once it has ended."""
        self.process.wait(60)
        while (line := self._news.get(timeout=10)) is not None:
            self.lines.append(line)
        return "".join(self.lines)

    def _next(self, deadline: float) -> str:
        line = self._news.get(timeout=max(0.01, deadline - time.monotonic()))
        assert line is not None, "The app ended:\n" + "".join(self.lines)
        self.lines.append(line)
        return line

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._news.put(line)
        self._news.put(None)


def keeping(claude_url: str, folder: Path) -> Application:
    """The app with a Claude at that address, which saves conversations in the folder."""
    return Application(
        ANTHROPIC_API_KEY="sk-test",
        ANTHROPIC_BASE_URL=claude_url,
        STREAMCHAT_KEEP_SECONDS="0",
        STREAMCHAT_DATA_DIR=str(folder),
    )
