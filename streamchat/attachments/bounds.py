"""Bounds on the number and the size of files."""

from dataclasses import dataclass

# bytes
MB = 1_000_000


@dataclass(frozen=True)
class Bounds:
    """Sizes are in bytes of the files as sent. Zero files turns files off."""

    file: int = 5 * MB
    per_message: int = 5
    per_conversation: int = 20
    conversation: int = 10 * MB
    # of one visitor in an hour
    hour: int = 200 * MB
    pixels: int = 50_000_000
    # of all PDFs of a conversation
    pages: int = 100
