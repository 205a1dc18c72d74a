"""Runs the program's own short tasks at Claude. The payer of the answer pays for them."""

import asyncio
import logging
from contextlib import ExitStack

from streamchat.chat.paid import Soon, paid
from streamchat.chat.parties import Asker, Source, Sources, key_of
from streamchat.chat.pause import Pause
from streamchat.errors import Crowded, NoOwnKeys, NotPermitted, UnknownModel
from streamchat.events import Errand, Failed, Message, Request
from streamchat.money import Account
from streamchat.replies import Reply

logger = logging.getLogger(__name__)

# at once, of all visitors
MOST = 20
OUT_OF_REACH = {NotPermitted.cause, UnknownModel.cause}


class Errands:
    """Runs errands on the sources, no more than `most` at once. Their costs are settled `soon`."""

    def __init__(self, sources: Sources, pause: Pause, soon: Soon, most: int = MOST) -> None:
        self._main = sources.main
        self._own = sources.own
        self._accounts = sources.accounts
        self._pause = pause
        self._soon = soon
        self._running: set[Reply] = set()
        self._places = asyncio.Semaphore(most)
        # the models that the owner's key does not reach
        self._refused: set[str] = set()

    async def run(self, errand: Errand, words: str, asker: Asker) -> Reply | None:
        """Claude's reply to the words. The asker's key pays, or else their share of the day's
        money. None if the source costs nothing, or if the owner's key has no access to the model.
        Raises `Refused`. The reply runs to its end without a reader."""
        payer = await self._payer(errand, asker)
        if payer is None:
            return None
        if self._places.locked():
            raise Crowded
        with ExitStack() as place:
            await self._places.acquire()
            place.callback(self._places.release)
            reply = await self._begun(errand, words, *payer)
            reply.on_end(place.pop_all().close)
        return reply

    async def _begun(
        self, errand: Errand, words: str, source: Source, account: Account, key: str
    ) -> Reply:
        request = Request((Message("user", words),), key=key, errand=errand)
        reply = await paid(source, request, account, self._soon, linger=None)
        self._running.add(reply)
        reply.on_end(lambda: self._running.discard(reply))
        if not key:
            reply.on_end(lambda: self._ended(errand, reply))
        return reply

    def _ended(self, errand: Errand, reply: Reply) -> None:
        if isinstance(reply.ending, Failed) and reply.ending.cause in OUT_OF_REACH:
            self._refused.add(errand.model)
            logger.warning(
                "Claude does not let you use %s, which is asked for each %s. It is not asked again"
                " before the next start.",
                errand.model,
                errand.name,
            )

    async def close(self) -> None:
        """Stops running errands."""
        for reply in self._running:
            reply.stop("shutdown")
        for reply in list(self._running):
            await reply.closed()

    async def _payer(self, errand: Errand, asker: Asker) -> tuple[Source, Account, str] | None:
        accounts = self._accounts.for_errand(errand) if self._accounts else None
        if key := key_of(asker):
            if self._own is None or accounts is None:
                raise NoOwnKeys
            return self._own, accounts.own(asker.visitor), key
        if accounts is None or accounts.budget is None or errand.model in self._refused:
            return None
        await self._pause.check()
        return self._main, accounts.open(asker.visitor), ""
