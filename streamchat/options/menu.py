"""The options that the owner allows, and the check of a visitor's choice."""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from streamchat.errors import NotOffered, WrongChoice
from streamchat.options.choice import EFFORTS, Choice, Effort
from streamchat.options.models import Model, known

# bytes of a header; some proxies refuse longer ones
LONGEST = 8_000
LONGEST_NAME = 60
FIELDS = ("model", "effort", "thinking", "system", "search")


class Menu:
    """The models, the efforts and the longest instructions, in characters, that visitors may
    choose. The first model, the `effort` and the first of `thinking` and of `search` are the
    defaults."""

    def __init__(  # noqa: PLR0913 (each is one of a visitor's options)
        self,
        models: Sequence[str],
        *,
        effort: Effort = "low",
        efforts: Sequence[Effort] = (),
        instructions: int = 0,
        thinking: Sequence[bool] = (True, False),
        search: Sequence[bool] = (False,),
    ) -> None:
        self.models: dict[str, Model] = {model: known(model) for model in models}
        self.model = models[0]
        self.effort = effort
        self.efforts = [each for each in EFFORTS if each in {*efforts, effort}]
        self.instructions = instructions
        self.thinking = list(thinking)
        self.search = list(search)

    def learn(self, model: str, name: str, *, gone: bool) -> None:
        """Notes Claude's facts about an offered model."""
        known_as = "".join(filter(str.isprintable, name))[:LONGEST_NAME] or self.models[model].name
        self.models[model] = replace(self.models[model], name=known_as, gone=gone)

    def read(self, headers: Sequence[str]) -> Choice:
        """The choice in these headers' JSON; raises as `check` does."""
        if not headers:
            return self.check({})
        if len(headers) > 1:
            raise WrongChoice(what="twice")
        text = headers[0]
        if len(text) > LONGEST:
            raise WrongChoice(what="long")
        if not text.isascii():
            raise WrongChoice(what="ascii")
        try:
            sent = json.loads(text, object_pairs_hook=_once)
        except (ValueError, RecursionError):
            raise WrongChoice(what="json") from None
        return self.check(sent)

    def recall(self, kept: Mapping[str, Any]) -> Choice | None:
        """A stored choice, without a model or a thinking option that is no longer offered. None if
        anything else in it is not offered."""
        model, thinking, search = kept.get("model"), kept.get("thinking"), kept.get("search")
        usual = {
            "model": model if isinstance(model, str) and model in self.models else self.model,
            "thinking": thinking if thinking in self.thinking else self.thinking[0],
            "search": search if search in self.search else self.search[0],
        }
        try:
            return self.check({**kept, **usual}) if kept else None
        except (NotOffered, WrongChoice):
            return None

    def check(self, sent: object) -> Choice:
        """The choice, with the owner's values as defaults. Raises `WrongChoice` for a malformed
        choice, and `NotOffered` for one that the owner does not allow."""
        if not isinstance(sent, Mapping):
            raise WrongChoice(what="object")
        if any(name not in FIELDS for name in sent):
            raise WrongChoice(what="field")
        return Choice(
            self._model(sent.get("model", self.model)),
            self._effort(sent.get("effort", self.effort)),
            _switched("thinking", sent.get("thinking", self.thinking[0]), self.thinking),
            self._instructions(sent.get("system", "")),
            _switched("search", sent.get("search", self.search[0]), self.search),
        )

    def _model(self, sent: Any) -> str:
        if not isinstance(sent, str):
            raise WrongChoice(what="model")
        if sent not in self.models:
            raise NotOffered(what="model", offered=_listed(self.models))
        return sent

    def _effort(self, sent: Any) -> Effort:
        if not isinstance(sent, str):
            raise WrongChoice(what="effort")
        for effort in self.efforts:
            if sent == effort:
                return effort
        raise NotOffered(what="effort", offered=_listed(self.efforts))

    def _instructions(self, sent: Any) -> str:
        if not isinstance(sent, str):
            raise WrongChoice(what="instructions")
        text = sent.replace("\r\n", "\n").strip()
        if text and not self.instructions:
            raise NotOffered(what="instructions", offered="")
        if len(text) > self.instructions:
            raise NotOffered(what="length", offered=f"{self.instructions:,}")
        if not all(map(_is_plain, text)):
            raise WrongChoice(what="signs")
        return text


def _switched(what: str, sent: Any, offered: Sequence[bool]) -> bool:
    if not isinstance(sent, bool):
        raise WrongChoice(what=what)
    if sent not in offered:
        raise NotOffered(what=what, offered="")
    return sent


def _is_plain(sign: str) -> bool:
    """Whether the character is neither a control character nor half of a surrogate pair."""
    return sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cs")


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a field came twice")
    return found


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
