"""A browser without its page that asks questions and finds its saved conversations."""

from typing import Any, Self

import httpx

from tests.served import HI

CHAT = "gradio_api/call/chat"


class Reader:
    """Has the cookies of one browser; each of its pages has a session of its own."""

    def __init__(self, url: str, **options: Any) -> None:
        self.client = httpx.Client(base_url=url, timeout=20, **options)
        self.client.get("/")
        events = self.client.get("/config").json()["dependencies"]
        self._claim = next(each["id"] for each in events if each["api_name"] == "claim")
        self._pages = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def opens(self, id_: str = "", page: str = "") -> tuple[str, str]:
        """Opens a conversation, or a new one, as a page does; returns the page's session and the
        conversation's id."""
        self._pages += 1
        page = page or f"page{id(self)}-{self._pages}"
        call = {"data": [id_, ""], "fn_index": self._claim, "session_hash": page}
        claimed = self.client.post("/gradio_api/run/predict", json=call)
        assert claimed.status_code == 200, claimed.text
        return page, claimed.json()["data"][0]

    def asks(self, message: str = HI["message"], id_: str = "", page: str = "") -> str:
        """Asks in that conversation, or in a new one, waits for the answer and returns the
        conversation's id."""
        page, id_ = self.opens(id_, page)
        self.reads(self.begins(message, page))
        return id_

    def begins(self, message: str, page: str) -> str:
        """Asks, and does not wait; the event by which the answer is read."""
        call = {"data": [message], "session_hash": page}
        return str(self.client.post(CHAT, json=call).json()["event_id"])

    def reads(self, event: str) -> None:
        """Waits for the end of an answer."""
        assert "event: complete" in self.client.get(f"{CHAT}/{event}").text

    def items(self, **query: Any) -> list[dict[str, Any]]:
        answer = self.client.get("conversations", params=query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["conversations"]
        return found

    def titles(self, **query: Any) -> list[str]:
        return [each["title"] for each in self.items(**query)]
