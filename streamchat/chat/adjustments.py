"""Settings that the owner changes while the chat runs; kept on disk, so that they survive a
restart."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import TypeAdapter, ValidationError

from streamchat.settings import Settings, SettingsError, what_is_wrong
from streamchat.store import Store
from streamchat.store.adjustments import read, write
from streamchat.texts import text

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Adjustable:
    """A setting's present value, and its value at the start."""

    name: str
    value: str
    default: str
    changed: bool


class Adjustments:
    """The settings of the start, with the owner's changes to those in `names`. `apply` is called
    with all settings after each change."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        names: tuple[str, ...],
        apply: Callable[[Settings], None],
    ) -> None:
        self._settings = self._now = settings
        self._store = store
        self._names = names
        self._apply = apply
        self._changed: dict[str, str] = {}

    @property
    def are_kept(self) -> bool:
        """Whether the changes survive a restart."""
        return self._store.is_kept

    @property
    def now(self) -> Settings:
        """All settings as they hold now."""
        return self._now

    async def open(self) -> None:
        """Reads the kept changes, and ignores those that this release does not accept."""
        for name, value in (await self._store.run(read) or {}).items():
            try:
                self._take({name: value})
            except SettingsError:
                logger.warning("The owner's change of %s is not taken up.", name)

    async def change(self, changes: Mapping[str, str | None]) -> None:
        """Changes settings from now on; None restores the value of the start. Raises
        `SettingsError` with a sentence for each invalid value, and then changes nothing."""
        self._take(changes)
        await self._store.run(partial(write, changes=changes))

    def all(self) -> list[Adjustable]:
        base, now = self._settings, self._now
        return [
            Adjustable(name, text_of(now, name), text_of(base, name), name in self._changed)
            for name in self._names
        ]

    def _take(self, changes: Mapping[str, str | None]) -> None:
        if unknown := changes.keys() - set(self._names):
            raise SettingsError(text("not_adjustable", name=min(unknown)))
        merged = {**self._changed, **changes}
        new = {name: value for name, value in merged.items() if value is not None}
        settings = changed(self._settings, new)
        self._changed, self._now = new, settings
        self._apply(settings)


def changed(settings: Settings, changes: Mapping[str, str]) -> Settings:
    """The settings with these values, checked as the environment's are. Raises `SettingsError` with
    a line for each invalid value."""
    right: dict[str, object] = {}
    wrong: list[str] = []
    for name, value in changes.items():
        kind: TypeAdapter[Any] = TypeAdapter(Settings.model_fields[name].rebuild_annotation())
        try:
            right[name] = kind.validate_python(value.strip())
        except ValidationError as error:
            wrong += [sentence(name, value, each) for each in error.errors()]
    if wrong:
        raise SettingsError("\n".join(wrong))
    return settings.model_copy(update=right)


def sentence(name: str, value: str, details: Any) -> str:
    what = name.removesuffix("_usd").replace("_", " ")
    return text("bad_adjustment", what=what, value=value[:80], reason=what_is_wrong(details))


def text_of(settings: Settings, name: str) -> str:
    """A setting's value as it is written in the environment."""
    value = getattr(settings, name)
    return f"{value:.10g}" if isinstance(value, float) else str(value)
