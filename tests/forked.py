"""Runs a Python file in a process forked from one that has loaded the libraries, which starts four
times as fast."""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TextIO

# variables that the interpreter or a library reads as it starts
READ_EARLY = ("PYTHON", "GRADIO_", "HF_", "SPACE_", "SYSTEM", "LC_", "LANG", "TZ")
WORKS = "forkserver" in multiprocessing.get_all_start_methods()


def fits(environment: Mapping[str, str]) -> bool:
    """Whether a forked process would behave like one that is started by a command."""
    return WORKS and not any(name.startswith(READ_EARLY) for name in environment)


class Forked:
    """Like a `subprocess.Popen`, as far as the tests use one."""

    def __init__(self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.libraries"])
        reader, writer = context.Pipe(duplex=False)
        # mypy knows no type for what several start methods share
        self._process = context.Process(target=_run, args=(arguments, str(cwd), dict(env), writer))
        self._process.start()
        writer.close()
        self.stdout: TextIO = os.fdopen(os.dup(reader.fileno()), errors="replace")
        reader.close()

    @property
    def pid(self) -> int:
        assert self._process.pid
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("app", timeout or 0)
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)


def _run(arguments: Sequence[str], cwd: str, env: Mapping[str, str], output: Connection) -> None:
    os.setsid()
    for descriptor in (1, 2):
        os.dup2(output.fileno(), descriptor)
    output.close()
    # those of the process before were files
    sys.stdout = sys.__stdout__ = open(1, "w", buffering=1, closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", buffering=1, closefd=False)  # type: ignore[misc]  # noqa: SIM115
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = list(arguments)
    sys.path[0] = str(Path(arguments[0]).parent)
    runpy.run_path(arguments[0], run_name="__main__")
