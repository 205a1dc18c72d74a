"""Names the visitors of one chat."""

import logging
from collections.abc import Mapping

from streamchat.visitors.visitor import Local, Proxies, comes_from_here, visitor

logger = logging.getLogger(__name__)


class Visitors:
    """Tells visitors apart by address or user. On a private chat, requests from the machine itself
    are `Local`."""

    def __init__(self, proxies: Proxies, *, private: bool) -> None:
        self._proxies = proxies
        self._private = private
        self._told = False

    def __call__(self, peer: str | None, headers: Mapping[str, str], user: str | None) -> str:
        name = visitor(peer, headers, proxies=self._proxies, user=user)
        if not self._private:
            return name
        if comes_from_here(peer, headers):
            return Local(name)
        self._tell()
        return name

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            logger.warning(
                "A proxy on this machine passes on requests: the limits per visitor hold for all"
                " who come through it."
            )
