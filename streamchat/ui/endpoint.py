"""The endpoint for `gradio_client`, which streams the answer's growing text."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import gradio as gr

from streamchat.errors import ChatError
from streamchat.replies import paced
from streamchat.texts import text, worded
from streamchat.ui.asking import Asking
from streamchat.ui.attached import with_files
from streamchat.ui.notes import fault, message_of
from streamchat.ui.room import check_room
from streamchat.ui.tab import Tab


class Endpoint(Asking):
    """The function that programs call."""

    async def chat(self, message: str, request: gr.Request) -> AsyncGenerator[str]:
        """Ask, and follow the answer as its text grows. A client keeps its conversation; cancelling
        stops the reply.

        An answer that is not whole, or may not be, ends with an error, whatever came before.
        """
        if not isinstance(message, str):
            raise gr.Error(text("not_a_text"), print_exception=False)
        tab = await self.tab(request)
        messages, path, taken_back = tab.messages(), tab.path(), tab.taken_back
        try:
            asked = with_files(message_of("user", message), await self._sent(request))
            messages = [*messages, asked]
            check_room(message, tab.messages())
            self._tabs.checked_size(messages)
            reply = await self._ask(tab, messages, request, or_spare=False)
        except ChatError as error:
            raise gr.Error(worded(error), print_exception=False) from None
        try:
            async with aclosing(paced(reply, self._chat.pace)) as frames:
                async for _ in frames:
                    yield reply.text
        finally:
            reply.stop()
            if reply.text and tab.taken_back == taken_back:
                tab.branch(Tab(messages, reply=reply).messages(), path)
                self._answered(self.tab_id(request), tab, reply, self._asker(tab, request))
                self.save(request, tab)
        if reply.ending and (wrong := fault(reply.ending, reply.text)):
            raise gr.Error(wrong, print_exception=False)
