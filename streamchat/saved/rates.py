"""How often and how much one visitor may read and change."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rates:
    """The bounds of each visitor, for the routes of saved conversations."""

    # a list is asked for with each letter of a search
    reads: str = "600/minute"
    changes: str = "120/minute"
    # each is written to the disk as a whole
    shares: str = "30/minute"
    # of shared pages; all who come through a proxy may be one visitor
    shared_reads: str = "300/minute"
    shared_pictures: str = "600/minute"
    # bytes of conversations that are switched at once, and then in each second: each switch is
    # written to the disk as a whole
    switched: int = 16_000_000
    switched_again: int = 1_000_000


USUAL = Rates()
