"""Stored values: unknown fields are ignored, and missing ones get a default."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

EMPTY: dict[type, Any] = {str: "", int: 0, float: 0.0, bool: False}


def restored(kind: type[T], kept: Mapping[str, Any]) -> T:
    """The dataclass with the stored fields. A field that is missing or None gets its default, or is
    empty."""
    defaults = defaults_of(kind)
    return kind(
        **{
            name: default if kept.get(name) is None else kept[name]
            for name, default in defaults.items()
        }
    )


@cache
def defaults_of(kind: type[T]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: _default(field, hints[field.name]) for field in fields(kind)}


def _default(field: Field[Any], hint: Any) -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return EMPTY.get(hint) if field.default is MISSING else field.default


def shortest_json(value: Any) -> str:
    """The shortest JSON that SQLite accepts, with lone surrogates escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text
