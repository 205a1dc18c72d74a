"""Has files checked in separate processes, a few at a time and each with a time limit."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import streamchat
from streamchat.attachments.attachment import Attachment, Upload
from streamchat.attachments.bounds import Bounds
from streamchat.errors import Crowded, FileRefused
from streamchat.system.pieces import parsed, written

COMMAND = (sys.executable, "-m", "streamchat.attachments.worker")
SECONDS = 30.0
# seconds that a message waits for its turn
PATIENCE = 20.0
RETRY_AFTER = 10.0
# processes at once
MOST = 2


class Workshop:
    """Checks files off the event loop: one message of each visitor at a time, and `MOST` in all.
    `answered` is like that of `worker`. `spent` gets the seconds that a visitor's files took."""

    def __init__(
        self,
        bounds: Bounds,
        answered: Callable[[bytes], bytes] | None = None,
        *,
        patience: float = PATIENCE,
        spent: Callable[[float, str | None], None] = lambda *_: None,
    ) -> None:
        self._spent = spent
        self._bounds = bounds
        self._processes = Processes()
        self._answered = answered or self._processes
        self._patience = patience
        self._threads = ThreadPoolExecutor(MOST, "files")
        self._places = asyncio.Semaphore(MOST)
        self._visitors: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def check(self, uploads: Sequence[Upload], visitor: str | None) -> list[Attachment]:
        """The checked files. Raises `FileRefused`, or `Crowded` if the wait is too long."""
        lock = self._visitors.setdefault(visitor or "", asyncio.Lock())
        try:
            async with asyncio.timeout(self._patience):
                await lock.acquire()
        except TimeoutError:
            raise Crowded(retry_after=RETRY_AFTER) from None
        try:
            return await self._in_turn(uploads, visitor)
        finally:
            lock.release()

    def close(self) -> None:
        """Ends the processes that still run."""
        self._processes.close()

    async def _in_turn(self, uploads: Sequence[Upload], visitor: str | None) -> list[Attachment]:
        try:
            async with asyncio.timeout(self._patience):
                await self._places.acquire()
        except TimeoutError:
            raise Crowded(retry_after=RETRY_AFTER) from None
        loop = asyncio.get_running_loop()
        began = loop.time()

        def ended(_: object) -> None:
            self._places.release()
            self._spent(loop.time() - began, visitor)

        working = loop.run_in_executor(self._threads, self._work, uploads)
        # a visitor who goes away leaves the place taken until the process ends
        working.add_done_callback(ended)
        return await asyncio.shield(working)

    def _work(self, uploads: Sequence[Upload]) -> list[Attachment]:
        asked = {"bounds": asdict(self._bounds), "uploads": [asdict(each) for each in uploads]}
        try:
            # in short steps, for the other threads
            answer = parsed(self._answered("".join(written(asked)).encode(errors="surrogatepass")))
        except (subprocess.SubprocessError, ValueError, OSError):
            raise FileRefused("file_took_too_long").of(uploads[-1].name) from None
        if code := answer.get("refused"):
            raise FileRefused(code, **answer["values"])
        return [_made(*pair) for pair in zip(answer["files"], uploads, strict=True)]


class Processes:
    """Answers in a process of its own, which ends within some seconds."""

    def __init__(self, command: Sequence[str] = COMMAND, seconds: float = SECONDS) -> None:
        self._command = command
        self._seconds = seconds
        self._running: set[subprocess.Popen[bytes]] = set()

    def __call__(self, asked: bytes) -> bytes:
        """Raises `SubprocessError` for a process that fails or takes too long."""
        with subprocess.Popen(  # noqa: S603 (the command is ours)
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        ) as process:
            self._running.add(process)
            try:
                answer, _ = process.communicate(asked, self._seconds)
            finally:
                process.kill()
                self._running.discard(process)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, self._command)
        return answer

    def close(self) -> None:
        for process in list(self._running):
            process.kill()


def _made(fields: dict[str, Any], upload: Upload) -> Attachment:
    data = upload.data if fields["data"] is None else fields["data"]
    return Attachment(**fields | {"data": data, "colours": tuple(fields["colours"])})


def _environment() -> dict[str, str]:
    """An environment without the owner's keys."""
    here = str(Path(streamchat.__file__).parent.parent)
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "LANG") if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join([here, *sys.path])}
