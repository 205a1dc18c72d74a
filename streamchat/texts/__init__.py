"""Every sentence for readers of the page, the API and the owner's page, in English for now.

Everything below the faces passes on codes and values. A face words them as it shows them.
"""

from streamchat.texts.amounts import dollars, spoken
from streamchat.texts.sentences import ending, failure, for_owner, text, worded

__all__ = ["dollars", "ending", "failure", "for_owner", "spoken", "text", "worded"]
