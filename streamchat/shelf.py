"""What visitors hold in memory: beyond a bound, whoever holds most loses what they used longest ago."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(slots=True)
class Place(Generic[V]):
    value: V
    owner: str | None
    weight: int


class Shelf(Generic[K, V]):
    """At most `most` values besides those that are `held`, and of each owner at most `share` of weight."""

    def __init__(self, *, most: int, share: int | None = None, held: Callable[[V], bool] | None = None) -> None:
        self._most = most
        self._share = share
        self._held = held
        self._places: dict[K, Place[V]] = {}
        self._owners: OrderedDict[str | None, OrderedDict[K, None]] = OrderedDict()  # what was used last is last
        self._weights: dict[str | None, int] = {}

    def __len__(self) -> int:
        return len(self._places)

    def items(self) -> list[tuple[K, V]]:
        """In the order in which they were put."""
        return [(key, place.value) for key, place in self._places.items()]

    def get(self, key: K) -> V | None:
        """The value, which counts as used."""
        if place := self._places.get(key):
            self._owners.move_to_end(place.owner)
            self._owners[place.owner].move_to_end(key)
            return place.value
        return None

    def put(self, key: K, value: V, owner: str | None = None, weight: int = 1) -> None:
        """In the place of what is there under that key, and then whatever is too much goes."""
        self.pop(key)
        self._places[key] = Place(value, owner, weight)
        self._owners.setdefault(owner, OrderedDict())[key] = None
        self._owners.move_to_end(owner)
        self._weights[owner] = self._weights.get(owner, 0) + weight
        while self._share is not None and self._weights[owner] > self._share and self._drop(owner, key):
            pass
        while len(self._places) > self._most and self._loose() > self._most and self._drop_of_most(key):
            pass

    def pop(self, key: K) -> V | None:
        if (place := self._places.pop(key, None)) is None:
            return None
        del self._owners[place.owner][key]
        self._weights[place.owner] -= place.weight
        if not self._owners[place.owner]:
            del self._owners[place.owner], self._weights[place.owner]
        return place.value

    def _loose(self) -> int:
        """How many may go."""
        return sum(not self._is_held(key) for key in self._places)

    def _drop_of_most(self, new: K) -> bool:
        """Drops one of the owner with most, or where all of that is held, of the next."""
        owners = self._owners
        most = max(owners, key=lambda owner: len(owners[owner]))
        return self._drop(most, new) or any(self._drop(owner, new) for owner in list(owners))

    def _drop(self, owner: str | None, new: K) -> bool:
        """Drops what the owner used longest ago, but not what is new or held; false if there is nothing else."""
        for key in self._owners[owner]:
            if key != new and not self._is_held(key):
                self.pop(key)
                return True
        return False

    def _is_held(self, key: K) -> bool:
        return self._held is not None and self._held(self._places[key].value)
