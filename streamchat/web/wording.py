"""Hands the words of a page to its scripts."""

import json
from collections.abc import Mapping
from html import escape


def words_tag(words: Mapping[str, str] | None) -> str:
    """An element with the words as JSON by their codes; empty without words."""
    if not words:
        return ""
    data = json.dumps(words, ensure_ascii=False, separators=(",", ":"))
    # JSON is full of double quotes, which need no escape between single ones
    content = escape(data, quote=False).replace("'", "&#39;")
    return f"""<meta name="words" content='{content}'>"""
