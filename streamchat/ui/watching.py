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
        """Updates what stands below an answer; an event of its own, or each frame would pay for it.

        It ends when another watch of the tab begins: however often a page asks for one, it has one.
        """
        async with aclosing(self._watched(request, gr.skip(), gr.skip())) as news:
            async for _, button, allowed in news:
                yield button, allowed

    async def watch_edited(
        self, request: gr.Request
    ) -> AsyncGenerator[tuple[Update, Update, Update]]:
        """As `watch`, with the stop button that ChatInterface does not show while it answers an
        edited message."""
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
        """As `watch`, with the box locked, which ChatInterface leaves open while it answers an
        example."""
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
