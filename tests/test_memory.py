"""A process gives back the memory that it does not need any more."""

import ctypes
import mmap
import platform

import pytest

from streamchat import process
from streamchat.process import RETURN_EVERY, Process, return_free_memory

BLOCKS, BYTES = 500, 100_000


def test_freed_memory_goes_back_to_the_system() -> None:
    """Pages of small buffers that were freed are not resident any more, though a later buffer is
    still in use.

    Only glibc has a function for it; with other C libraries nothing happens.
    """
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    buffers = [ctypes.c_void_p(libc.malloc(BYTES)) for _ in range(BLOCKS)]
    for buffer in buffers:
        libc.memset(buffer, 1, BYTES)
    *freed, last = buffers
    for buffer in freed:
        libc.free(buffer)
    before = resident(libc, freed)
    return_free_memory()
    after = resident(libc, freed)
    libc.free(last)
    assert before > 0.9 * BLOCKS
    assert after <= (0.1 * BLOCKS if platform.libc_ver()[0] == "glibc" else BLOCKS)


def resident(libc: ctypes.CDLL, buffers: list[ctypes.c_void_p]) -> int:
    """The number of buffers whose middle page is in memory."""
    found = 0
    for buffer in buffers:
        page = ((buffer.value or 0) + BYTES // 2) // mmap.PAGESIZE * mmap.PAGESIZE
        state = ctypes.c_ubyte()
        in_use = libc.mincore(ctypes.c_void_p(page), ctypes.c_size_t(1), ctypes.byref(state)) == 0
        found += in_use and state.value & 1
    return found


class Server:
    """A server that ends after so many checks."""

    def __init__(self, looks: int) -> None:
        self._looks = looks

    @property
    def is_alive(self) -> bool:
        self._looks -= 1
        return self._looks >= 0


def test_a_process_gives_memory_back_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does so every few checks of its server, while it waits for a signal."""
    returned: list[int] = []
    monkeypatch.setattr(process, "return_free_memory", lambda: returned.append(1))
    with pytest.raises(SystemExit):
        Process(pause=0).wait(Server(looks=3 * RETURN_EVERY))  # type: ignore[arg-type]
    assert len(returned) == 3
