"""Has Claude name saved conversations, once for each first question, when that is answered."""

import asyncio

from streamchat.chat import Asker, Chat, titles
from streamchat.events import OURS, Done
from streamchat.replies import Reply
from streamchat.sources.demo import Demo
from streamchat.ui.states import first_question
from streamchat.ui.tab import Tab
from streamchat.ui.tabs import Tabs
from streamchat.ui.transcript import text_of


class Titling:
    """Asks Claude for titles of saved conversations. Until there is one, and if there is none, the
    first words stand in its place."""

    def __init__(self, chat: Chat, tabs: Tabs) -> None:
        self._chat = chat
        self._tabs = tabs
        self._tasks: set[asyncio.Task[None]] = set()

    def answered(self, tab_id: str, tab: Tab, reply: Reply, asker: Asker) -> None:
        """To be called at the end of each reply of a saved conversation, before that is saved."""
        if not _is_wanted(tab, reply):
            return
        tab.title = ""
        self._tabs.naming.add(tab_id)
        task = asyncio.create_task(self._name(tab_id, tab, asker))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _name(self, tab_id: str, tab: Tab, asker: Asker) -> None:
        question = first_question(tab.messages())
        try:
            if await self._tabs.may_be_named(tab_id, tab):
                title = await titles.title_for(self._chat.run, question, asker)
                if title:
                    await self._tabs.name(tab_id, tab.reader, question, title)
        finally:
            self._tabs.naming.discard(tab_id)


def _is_wanted(tab: Tab, reply: Reply) -> bool:
    """Whether it is the first whole answer of Claude's to a first question for which no title was
    asked. A question without words is named after its files."""
    ending, messages = reply.ending, tab.messages()
    words = [text_of(message) for message in messages if message["role"] == "user"]
    return (
        bool(tab.reader)
        and tab.kept
        and tab.title is None
        and isinstance(ending, Done)
        and ending.reason not in OURS | {"refusal"}
        and ending.receipt is not None
        and ending.receipt.model != Demo.model
        and bool(reply.text.strip())
        and len(words) == 1
        and bool(words[0].strip())
    )
