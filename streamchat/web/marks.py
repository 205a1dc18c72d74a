"""Counts the values of a JSON text before it is parsed."""


class Marks:
    """Counts JSON's brackets, commas and colons outside of strings, over several chunks."""

    def __init__(self) -> None:
        self._number = 0
        self._in_string = False
        self._escape = b""

    def count(self, part: bytes) -> int:
        """The number of marks so far, including this chunk."""
        part = self._escape + part
        self._escape = b"\\" if (len(part) - len(part.rstrip(b"\\"))) % 2 else b""
        part = part.removesuffix(self._escape).replace(b"\\\\", b"").replace(b'\\"', b"")
        pieces = part.split(b'"')
        outside = b"".join(pieces[self._in_string :: 2])
        self._in_string ^= len(pieces) % 2 == 0
        self._number += sum(map(outside.count, (b"{", b"[", b",", b":")))
        return self._number
