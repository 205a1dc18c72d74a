"""Where a conversation has versions, as its page counts turns."""

from dataclasses import asdict
from typing import Any

from streamchat.ui.missing import on_page
from streamchat.ui.tab import Tab


def choices(tab: Tab) -> dict[str, Any]:
    """As JSON: the numbers of the turns on the page, null for those that the tab does not keep, and
    of each turn with a choice the versions of its question and of its answer, as `Place` has
    them."""
    shown = tab.messages()
    versions = tab.versions.along(shown)
    places = versions.places(shown)
    found = [
        {"turn": turn, **asdict(places[kept])}
        for turn, kept in enumerate(on_page(range(len(versions.path)), tab.missing))
        if kept in places
    ]
    return {"path": on_page(versions.path, tab.missing), "choices": found}
