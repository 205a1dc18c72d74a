"""A program in processes of its own, what it costs, and its end."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parent.parent
TICK = os.sysconf("SC_CLK_TCK")
CHOSEN = re.compile("(STREAMCHAT|ANTHROPIC|GRADIO|CHAINLIT|STREAMLIT)_")
PAGE = os.sysconf("SC_PAGE_SIZE")


def free_port(host: str = "127.0.0.1") -> int:
    with socket.create_server((host, 0)) as server:
        return int(server.getsockname()[1])


def inherited() -> dict[str, str]:
    """The environment, without what somebody has set for the programs that are measured."""
    return {name: value for name, value in os.environ.items() if not CHOSEN.match(name)}


def machine_cpu() -> float:
    """Seconds of processor time that everything on this machine has used."""
    user, nice, system, _, _, *interrupts = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + sum(interrupts)) / TICK


class Server:
    """Runs until the `with` block ends. Its processes are a session of their own, by which Linux
    counts them."""

    def __init__(
        self, command: Sequence[str], log: Path, *, host: str = "127.0.0.1", **environment: str
    ) -> None:
        self.host = host
        self.port = free_port(host)
        self.url = f"http://{host}:{self.port}"
        self._log = log
        self.began = time.monotonic()
        self.started = 0.0
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, *(part.format(port=self.port) for part in command)],
                cwd=ROOT,
                env={
                    **inherited(),
                    **{name: value.format(port=self.port) for name, value in environment.items()},
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def answers(self, path: str = "/", status: int = 200, timeout: float = 60) -> None:
        """Waits for an answer; `started` is how many seconds after the start of the process it was
        there."""
        while time.monotonic() < self.began + timeout and self._process.poll() is None:
            if self._status(path) == status:
                self.started = time.monotonic() - self.began
                return
            time.sleep(0.02)
        raise RuntimeError(
            f"No answer at {self.url}{path}:\n{self._log.read_text(errors='replace')[-2000:]}"
        )

    def cpu(self) -> float:
        """Seconds of processor time, its children's included."""
        return sum(sum(map(int, fields[11:15])) for fields in self._stats()) / TICK

    def memory(self) -> int:
        """Resident bytes."""
        return sum(int(fields[21]) for fields in self._stats()) * PAGE

    def _status(self, path: str) -> int:
        with (
            suppress(OSError),
            socket.create_connection((self.host, self.port), timeout=5) as connection,
        ):
            connection.sendall(
                f"GET {path} HTTP/1.0\r\nhost: {self.host}:{self.port}\r\n\r\n".encode()
            )
            return int(connection.recv(4096).split()[1])
        return 0

    def _stats(self) -> Iterator[list[str]]:
        """The fields of /proc/<pid>/stat after the name, for each of its processes."""
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = path.read_text().rpartition(")")[2].split()
                if int(fields[3]) == self._process.pid:
                    yield fields
