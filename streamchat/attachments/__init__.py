"""Files beside a message: what is taken of a stranger's file, and in which form Claude gets it.

The process that checks files imports this; it loads neither Pillow nor the settings.
"""

from streamchat.attachments.attachment import Attachment, Upload
from streamchat.attachments.bounds import Bounds
from streamchat.attachments.names import shown

__all__ = ["Attachment", "Bounds", "Upload", "settings", "shown", "workshop"]
