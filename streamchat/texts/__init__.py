"""Every sentence for readers of the page, the API and the owner's page, in English for now.

Code below the faces passes on codes and values. A face words them when it shows them.
"""

from streamchat.texts.amounts import brief, dollars, price, spoken
from streamchat.texts.sentences import (
    ending,
    failure,
    for_owner,
    good_for,
    page_words,
    text,
    worded,
)

__all__ = [
    "brief",
    "dollars",
    "ending",
    "failure",
    "for_owner",
    "good_for",
    "page_words",
    "price",
    "spoken",
    "text",
    "worded",
]
