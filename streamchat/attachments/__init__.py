"""Files beside a message: the checks of a stranger's file, and the form in which Claude gets it.

The process that checks files imports this package, which loads neither Pillow nor the settings.
"""

from streamchat.attachments.attachment import Attachment, Upload
from streamchat.attachments.bounds import Bounds
from streamchat.attachments.names import shown

__all__ = ["Attachment", "Bounds", "Upload", "settings", "shown", "workshop"]
