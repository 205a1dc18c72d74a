"""Links to shared conversations as the owner of the chat sees them: none of their words, and no
address."""

from collections import Counter
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

from streamchat.store import Store, shares

# that are listed, the newest first
MOST = 200
# whose readers are counted
COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Link:
    """A link by a name that opens nothing: the time when it was made or updated last, and how often
    it was opened since the start."""

    name: str
    at: float
    opened: int


class Links:
    """All links of all readers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._opened: Counter[str] = Counter()

    def open(self, token: str) -> None:
        """Counts a reader. Beyond the bound, the count of the link counted first is lost."""
        if token not in self._opened and len(self._opened) >= COUNTED:
            del self._opened[next(iter(self._opened))]
        self._opened[token] += 1

    async def all(self) -> list[Link]:
        found = await self._store.run(partial(shares.listed, most=MOST)) or []
        return [Link(name_of(token), at, self._opened[token]) for token, at in found]

    async def end(self, name: str) -> bool:
        """Withdraws the link for good; whether there is one of that name."""
        tokens = await self._store.run(shares.tokens) or []
        token = next((each for each in tokens if name_of(each) == name), None)
        if token:
            await self._store.run(partial(shares.end, token=token))
        return token is not None


def name_of(token: str) -> str:
    return sha256(token.encode()).hexdigest()[:32]
