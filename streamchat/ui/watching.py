"""Updates what stands beside an answer while it is written."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import gradio as gr

from streamchat.ui.asking import Asking
from streamchat.ui.leaving import comes_first

# of a component: a value, which is cheap, or `gr.update` or `gr.skip`, for which Gradio builds it
# anew
Update = Any


class Watching(Asking):
    """The events of a page that wait for the end of its answer."""

    async def watch(self, request: gr.Request) -> AsyncGenerator[tuple[Update, Update]]:
        """Updates what stands below an answer. It is a separate event, so that frames stay small.

        It ends when the page begins another watch, so that a page has one at most.
        """
        async with aclosing(self._watched(request, gr.skip(), gr.skip())) as news:
            async for _, button, allowed in news:
                yield button, allowed

    async def watch_edited(
        self, request: gr.Request
    ) -> AsyncGenerator[tuple[Update, Update, Update]]:
        """Like `watch`, and shows the stop button, which ChatInterface does not show for an edited
        message."""
        busy, idle = (
            gr.update(submit_btn=False, stop_btn=True),
            gr.update(submit_btn=True, stop_btn=False),
        )
        async with aclosing(self._watched(request, busy, idle)) as news:
            async for update in news:
                yield update

    async def watch_example(
        self, request: gr.Request
    ) -> AsyncGenerator[tuple[Update, Update, Update]]:
        """Like `watch`, and locks the box, which ChatInterface leaves open for an example."""
        async with aclosing(
            self._watched(request, gr.update(interactive=False), gr.update(interactive=True))
        ) as news:
            async for update in news:
                yield update

    async def _watched(
        self, request: gr.Request, busy: Update, idle: Update
    ) -> AsyncGenerator[tuple[Update, Update, Update]]:
        tab, page = await self.tab(request), request.session_hash or ""
        replaced, before = tab.watch(page), tab.reply
        yield busy, gr.update(visible=False), self.allowance(request)
        if await comes_first(tab.next_end(before), replaced):
            tab.unwatch(page)
            yield idle, gr.update(visible=tab.unfinished), self.allowance(request)
