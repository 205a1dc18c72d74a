"""The one idea: a reply is a log, with one writer and any number of readers."""

from streamchat.replies.cache import Cache
from streamchat.replies.frames import paced
from streamchat.replies.pace import Pace
from streamchat.replies.reply import ID, Reply, Write
from streamchat.replies.share import Share, Shares

__all__ = ["ID", "Cache", "Pace", "Reply", "Share", "Shares", "Write", "paced"]
