"""The application without a face: ask, follow, stop; who answers and who pays."""

from streamchat.chat import titles
from streamchat.chat.adjustments import Adjustments
from streamchat.chat.asking import Chat
from streamchat.chat.files import Draft, Files
from streamchat.chat.journal import DAY, HOUR, Journal
from streamchat.chat.kept_files import KeptFiles, light, restored
from streamchat.chat.links import Link, Links
from streamchat.chat.offers import Offer
from streamchat.chat.parties import Asker, Source, Sources
from streamchat.chat.trouble import Trouble
from streamchat.chat.votes import Votes
from streamchat.store.journal import Entry

__all__ = [
    "DAY",
    "HOUR",
    "Adjustments",
    "Asker",
    "Chat",
    "Draft",
    "Entry",
    "Files",
    "Journal",
    "KeptFiles",
    "Link",
    "Links",
    "Offer",
    "Source",
    "Sources",
    "Trouble",
    "Votes",
    "light",
    "restored",
    "titles",
]
