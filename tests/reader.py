"""A browser without its page that asks questions and finds its saved conversations."""

from collections.abc import Sequence
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
        id_, said = self.hears(message, id_, page)
        assert "event: complete" in said
        return id_

    def hears(
        self, message: str, id_: str = "", page: str = "", files: Sequence[str] = ()
    ) -> tuple[str, str]:
        """As `asks`, with these files, and also the events of the answer."""
        page, id_ = self.opens(id_, page)
        event = self.begins(message, page, files)
        return id_, self.client.get(f"{CHAT}/{event}").text

    def adds(self, data: bytes, name: str = "red.png", **headers: str) -> httpx.Response:
        """Sends a file as the page does."""
        octets = {"content-type": "application/octet-stream"}
        parameters = {"name": name}
        return self.client.post("files", params=parameters, content=data, headers=octets | headers)

    def begins(self, message: str, page: str, files: Sequence[str] = ()) -> str:
        """Asks, and does not wait; the event by which the answer is read."""
        call = {"data": [message], "session_hash": page}
        headers = {"x-files": ",".join(files)}
        return str(self.client.post(CHAT, json=call, headers=headers).json()["event_id"])

    def reads(self, event: str) -> None:
        """Waits for the end of an answer."""
        assert "event: complete" in self.client.get(f"{CHAT}/{event}").text

    def shares(self, id_: str) -> str:
        """Makes a link to the conversation, or updates it; returns the link."""
        answer = self.client.post(f"conversations/{id_}/share")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["url"])

    def items(self, **query: Any) -> list[dict[str, Any]]:
        answer = self.client.get("conversations", params=query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["conversations"]
        return found

    def titles(self, **query: Any) -> list[str]:
        return [each["title"] for each in self.items(**query)]
