"""Continues a long conversation in a new one: how full it is, and a summary to begin with."""

from collections.abc import Sequence
from contextlib import aclosing

from fastapi import APIRouter, Request, Response

from streamchat.chat import Asker, Chat
from streamchat.events import Failed, Message
from streamchat.options import OWNERS
from streamchat.replies import Reply
from streamchat.saved.routes import PATH, Gate, answer, checked
from streamchat.saved.shelf import Saved
from streamchat.texts import text
from streamchat.web.problem import Route, problem

SUMMARISE = (
    "Summarise our conversation so far, so that it can go on in a new chat in which nothing of it"
    " is known. Write in the language of the conversation. Keep what was decided, the facts, names"
    " and numbers that still matter, code that is still needed, and what is open. Write at most 300"
    " words, without a heading and without a word about this request."
)


def routes(chat: Chat, saved: Saved, gate: Gate) -> APIRouter:
    """Two routes below the address of a conversation, for its reader alone."""
    router = APIRouter(prefix=PATH, route_class=Route, include_in_schema=False)

    @router.get("/{id_}/fullness")
    async def fullness(request: Request, id_: str) -> Response:
        """From 1 on there is no next answer. With an `own_key` money is no limit."""
        spoken, choice = await saved.conversation(gate.reader(request), checked(id_))
        visitor = None if request.query_params.get("own_key") == "yes" else gate.visitor(request)
        return answer({"used": round(chat.fullness(spoken, choice or OWNERS, visitor), 3)})

    @router.post("/{id_}/summary")
    async def summary(request: Request, id_: str) -> Response:
        """One call to the cheapest model on offer, paid like a question."""
        spoken, _ = await saved.conversation(gate.reader(request), checked(id_))
        asker = Asker(gate.visitor(request), key=request.headers.get("x-api-key", ""))
        messages = [*map(_without_files, spoken), Message("user", SUMMARISE)]
        reply = await chat.ask(messages, asker, choice=chat.cheapest())
        return await _ended(reply, [file.name for message in spoken for file in message.files])

    return router


def _without_files(message: Message) -> Message:
    """The message with the names of its files: the answers say what is in them."""
    names = ", ".join(file.name for file in message.files)
    words = [f"[Files: {names}]"] if names else []
    return Message(message.role, "\n\n".join([*words, message.text]))


async def _ended(reply: Reply, names: Sequence[str]) -> Response:
    """The summary, and the names of the files that are not in the new chat."""
    async with aclosing(reply.follow()) as news:
        async for _ in news:
            pass
    if isinstance(reply.ending, Failed):
        return problem(reply.ending)
    gone = [text("files_of_summary", names=", ".join(dict.fromkeys(names)))] if names else []
    return answer({"summary": "\n\n".join([reply.text, *gone])})
