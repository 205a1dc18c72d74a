"""Runs the program's own short tasks at Claude. The payer of the answer pays for them."""

from streamchat.chat.paid import Soon, paid
from streamchat.chat.parties import Asker, Source, Sources, key_of
from streamchat.chat.pause import Pause
from streamchat.errors import Crowded, NoOwnKeys
from streamchat.events import Errand, Message, Request
from streamchat.money import Account
from streamchat.replies import Reply

# at once, of all visitors
MOST = 20


class Errands:
    """Runs errands on the sources. Their costs are settled `soon`."""

    def __init__(self, sources: Sources, pause: Pause, soon: Soon) -> None:
        self._main = sources.main
        self._own = sources.own
        self._accounts = sources.accounts
        self._pause = pause
        self._soon = soon
        self._running: set[Reply] = set()

    async def run(self, errand: Errand, words: str, asker: Asker) -> Reply | None:
        """Claude's reply to the messages. The asker's key pays, or else their share of the day's
        money. None if the source costs nothing. Raises `Refused`.

        The reply ends by itself, without a reader.
        """
        payer = await self._payer(errand, asker)
        if payer is None:
            return None
        if len(self._running) >= MOST:
            raise Crowded
        source, account, key = payer
        request = Request((Message("user", words),), key=key, errand=errand)
        reply = await paid(source, request, account, self._soon, linger=None)
        self._running.add(reply)
        reply.on_end(lambda: self._running.discard(reply))
        return reply

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
        if accounts is None or accounts.budget is None:
            return None
        await self._pause.check()
        return self._main, accounts.open(asker.visitor), ""
