"""Versions: a retry or an edit hides the old turns instead of deleting them.

A conversation is a tree of turns, each a question with everything that answers it. One path from
the root is shown; its messages are the tab's own, and all other turns are hidden. Each turn's
number is greater than that of the turn it follows, so the tree has no cycle.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from streamchat.ui.transcript import Shown, conversation, size_of, text_of

# what the first turns follow
ROOT = -1
# of one turn, with the one that is shown
MAX_VERSIONS = 20
# of one conversation, the shown turns with the hidden ones
MAX_TURNS = 1_500
MAX_BYTES = 10_000_000

Path = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many `versions` a turn may have, and how many turns and bytes a conversation."""

    versions: int = MAX_VERSIONS
    turns: int = MAX_TURNS
    size: int = MAX_BYTES


USUAL = Bounds()


@dataclass(frozen=True, slots=True)
class Turn:
    """A hidden turn that follows the turn `after`; its messages take `size` bytes."""

    number: int
    after: int
    messages: list[Shown]
    size: int

    @classmethod
    def of(cls, number: int, after: int, messages: list[Shown]) -> "Turn":
        return cls(number, after, messages, size_of(messages))


@dataclass(frozen=True, slots=True)
class Place:
    """A turn with a choice: the number that is `shown`, the versions of its question, and the
    versions of the answer to the shown question."""

    shown: int
    questions: list[int]
    answers: list[int]


@dataclass(frozen=True, slots=True)
class Versions:
    """The numbers on the shown path, and the hidden turns. Hidden turns are in the order in which
    they were last shown, each before the one that it follows. `cut` has the numbers of turns whose
    answers broke off."""

    path: Path = ()
    hidden: tuple[Turn, ...] = ()
    cut: Path = ()

    @property
    def size(self) -> int:
        """Bytes of the hidden turns."""
        return sum(turn.size for turn in self.hidden)

    def along(self, shown: Sequence[Shown]) -> "Versions":
        """The versions with one number for each turn of the shown messages."""
        count = len(turns_of(shown))
        path = self.path[:count]
        more = range(self.next, self.next + count - len(path))
        return replace(self, path=(*path, *more))

    def changed(self, change: Callable[[Shown], Shown]) -> "Versions":
        """The same with hidden messages that are changed."""
        hidden = (
            Turn.of(turn.number, turn.after, list(map(change, turn.messages)))
            for turn in self.hidden
        )
        return replace(self, hidden=tuple(hidden))

    @property
    def next(self) -> int:
        """An unused number."""
        return 1 + max((*self.path, *(turn.number for turn in self.hidden)), default=ROOT)

    def path_to(self, number: int) -> Path | None:
        """The path on which that turn is shown, or was shown last; None if there is no such
        turn."""
        if number in self.path:
            return self.path
        hidden = {turn.number: turn for turn in self.hidden}
        last = {turn.after: turn.number for turn in self.hidden}
        down, up, after = [number], [], number
        while after in hidden:
            up.append(after)
            after = hidden[after].after
        while down[-1] in last:
            down.append(last[down[-1]])
        if not up or after not in (ROOT, *self.path):
            return None
        start = self.path[: self.path.index(after) + 1] if after != ROOT else ()
        return (*start, *up[:0:-1], *down)

    def messages(self, shown: Sequence[Shown], path: Path) -> list[Shown]:
        """The messages on that path; `shown` are the present ones."""
        if path == self.path:
            return list(shown)
        found = dict(zip(self.path, turns_of(shown), strict=True))
        found |= {turn.number: turn.messages for turn in self.hidden}
        return [message for number in path for message in found.get(number, ())]

    def switched(self, shown: Sequence[Shown], path: Path, *, unfinished: bool) -> "Versions":
        """The versions after a switch from the shown messages, whose last answer may be
        `unfinished`, to that path. No turn is dropped."""
        stays = set(path)
        turns = zip(self.path, (ROOT, *self.path), turns_of(shown), strict=False)
        left = [Turn.of(*turn) for turn in turns if turn[0] not in stays]
        hidden = [turn for turn in self.hidden if turn.number not in stays]
        last = self.path[-1:]
        cut = (
            *(number for number in self.cut if number not in last),
            *(last if unfinished else ()),
        )
        return Versions(path, (*hidden, *reversed(left)), cut)

    def branch(
        self,
        shown: Sequence[Shown],
        path: Path,
        messages: Sequence[Shown],
        *,
        unfinished: bool,
        bounds: Bounds = USUAL,
    ) -> "Versions":
        """The versions when messages are shown whose last turn is new, and follows the first turns
        of a path. A last turn that got no answer to the same question is not kept. Beyond the
        bounds the turns shown longest ago are dropped, but none that is hidden only now."""
        *before, (question, *_) = turns_of(messages)
        path, asked = path[: len(before)], text_of(question)
        new = max(self.next, 1 + max(path, default=ROOT))
        last = [turn for turn in turns_of(shown)[-1:] if text_of(turn[0]) == asked]
        failed = self.path[-1:] if any(not conversation(turn)[1:] for turn in last) else ()
        after = self.switched(shown, (*path, new), unfinished=unfinished)._without(failed)
        return after.bounded(messages, keep=self.path, bounds=bounds)

    def _without(self, numbers: Path) -> "Versions":
        return self._keeping(lambda turn: turn.number not in numbers)

    def without(self, count: int) -> "Versions":
        """Keeps the first `count` turns with their versions. Removes the next turn in all its
        versions, and everything that follows them."""
        path = self.path[:count]
        end = (ROOT, *path)[-1]
        return replace(self, path=path)._keeping(lambda turn: turn.after != end)

    def places(self, shown: Sequence[Shown]) -> dict[int, Place]:
        """The places with a choice, by their turn in the shown messages."""
        beside: dict[int, list[Turn]] = {}
        for turn in self.hidden:
            beside.setdefault(turn.after, []).append(turn)
        turns = zip(self.path, (ROOT, *self.path), turns_of(shown), strict=False)
        return {
            place: _place(number, messages, beside[after])
            for place, (number, after, messages) in enumerate(turns)
            if after in beside
        }

    def bounded(
        self, shown: Sequence[Shown], keep: Collection[int] = (), bounds: Bounds = USUAL
    ) -> "Versions":
        """Keeps the hidden turns that fit into the bounds beside the shown messages, those that
        were shown last first. The turns to `keep`, which must have been shown last of all, stay
        even beyond the bounds."""
        beside = Counter((ROOT, *self.path)[:-1])
        room, places = bounds.size - size_of(shown), bounds.turns - len(self.path)

        def fits(turn: Turn) -> bool:
            nonlocal room, places
            room, places = room - turn.size, places - 1
            beside[turn.after] += 1
            within = room >= 0 and places >= 0 and beside[turn.after] <= bounds.versions
            return within or turn.number in keep

        return self._keeping(fits) if self.hidden else self

    def _keeping(self, fits: Callable[[Turn], bool]) -> "Versions":
        """Without the hidden turns that do not fit, and those that follow them. The turn that was
        shown last is looked at first."""
        known, kept = {ROOT, *self.path}, list[Turn]()
        for turn in reversed(self.hidden):
            if turn.after in known and fits(turn):
                known.add(turn.number)
                kept.append(turn)
        cut = tuple(number for number in self.cut if number in known)
        return Versions(self.path, tuple(reversed(kept)), cut)

    @property
    def is_tree(self) -> bool:
        """Whether each turn has a number of its own, greater than that of the turn it follows."""
        numbers = [*self.path, *(turn.number for turn in self.hidden)]
        known = {ROOT, *numbers}
        return (
            list(self.path) == sorted(self.path)
            and ROOT not in numbers
            and len(known) == len(numbers) + 1
            and all(turn.after < turn.number and turn.after in known for turn in self.hidden)
        )

    @property
    def state(self) -> dict[str, Any]:
        """The versions as JSON; empty if there never were hidden turns."""
        if not (self.hidden or self.cut) and self.path == tuple(range(len(self.path))):
            return {}
        hidden = [[turn.number, turn.after, turn.messages] for turn in self.hidden]
        return {"path": self.path, "hidden": hidden, "cut": self.cut}

    @classmethod
    def of(cls, state: dict[str, Any]) -> "Versions":
        hidden = tuple(Turn.of(*turn) for turn in state.get("hidden", ()))
        return cls(tuple(state.get("path", ())), hidden, tuple(state.get("cut", ())))


def _place(shown: int, messages: list[Shown], hidden: list[Turn]) -> Place:
    """A place with each other question's last shown version."""
    asked = text_of(messages[0])
    others = {text_of(turn.messages[0]): turn.number for turn in hidden} | {asked: shown}
    answers = [turn.number for turn in hidden if text_of(turn.messages[0]) == asked]
    return Place(shown, sorted(others.values()), sorted([shown, *answers]))


def turns_of(messages: Iterable[Shown]) -> list[list[Shown]]:
    """The messages grouped by question, each with everything up to the next question."""
    turns: list[list[Shown]] = []
    for message in messages:
        if message["role"] == "user":
            turns.append([message])
        elif turns:
            turns[-1].append(message)
    return turns
