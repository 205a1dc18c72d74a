"""A bounded mapping that visitors share: over the bound, the owner of most values loses the least
recently used one."""

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
    """Keeps at most `most` values besides those that are `held`, and at most `share` of weight for
    each owner."""

    def __init__(
        self, *, most: int, share: int | None = None, held: Callable[[V], bool] | None = None
    ) -> None:
        self._most = most
        self._share = share
        self._held = held
        self._places: dict[K, Place[V]] = {}
        # both levels are in the order of use, the least recently used first
        self._owners: OrderedDict[str | None, OrderedDict[K, None]] = OrderedDict()
        self._weights: dict[str | None, int] = {}

    def __len__(self) -> int:
        return len(self._places)

    def items(self) -> list[tuple[K, V]]:
        """The values in the order in which they were put."""
        return [(key, place.value) for key, place in self._places.items()]

    def get(self, key: K) -> V | None:
        """The value. Counts as a use."""
        if place := self._places.get(key):
            self._owners.move_to_end(place.owner)
            self._owners[place.owner].move_to_end(key)
            return place.value
        return None

    def peek(self, key: K) -> V | None:
        """The value. Does not count as a use."""
        place = self._places.get(key)
        return place.value if place else None

    def put(self, key: K, value: V, owner: str | None = None, weight: int = 1) -> None:
        """Replaces the value under that key, then drops values until both bounds hold again."""
        self.pop(key)
        self._places[key] = Place(value, owner, weight)
        self._owners.setdefault(owner, OrderedDict())[key] = None
        self._owners.move_to_end(owner)
        self._weights[owner] = self._weights.get(owner, 0) + weight
        while (
            self._share is not None
            and self._weights[owner] > self._share
            and self._drop(owner, key)
        ):
            pass
        while (
            len(self._places) > self._most
            and self._loose() > self._most
            and self._drop_of_most(key)
        ):
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
        """The number of values that are not held."""
        return sum(not self._is_held(key) for key in self._places)

    def _drop_of_most(self, new: K) -> bool:
        """Drops a value of the owner with most values, or of another owner if all of these are
        held."""
        owners = self._owners
        most = max(owners, key=lambda owner: len(owners[owner]))
        return self._drop(most, new) or any(self._drop(owner, new) for owner in list(owners))

    def _drop(self, owner: str | None, new: K) -> bool:
        """Drops the owner's least recently used value that is neither new nor held; false if there
        is none."""
        for key in self._owners[owner]:
            if key != new and not self._is_held(key):
                self.pop(key)
                return True
        return False

    def _is_held(self, key: K) -> bool:
        return self._held is not None and self._held(self._places[key].value)
