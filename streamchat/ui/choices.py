"""The turns of a page that have several versions."""

from dataclasses import asdict
from typing import Any

from streamchat.ui.missing import on_page
from streamchat.ui.tab import Tab


def choices(tab: Tab) -> dict[str, Any]:
    """JSON with the numbers of the turns on the page (null for turns that the tab does not keep)
    and, for each turn with a choice, its `Place`."""
    shown = tab.messages()
    versions = tab.versions.along(shown)
    places = versions.places(shown)
    found = [
        {"turn": turn, **asdict(places[kept])}
        for turn, kept in enumerate(on_page(range(len(versions.path)), tab.missing))
        if kept in places
    ]
    return {"path": on_page(versions.path, tab.missing), "choices": found}
