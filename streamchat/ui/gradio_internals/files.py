"""Files: Gradio would copy and serve any file that a value names. This chat accepts none."""

from typing import Any, NoReturn

import gradio as gr
from gradio import processing_utils
from gradio.blocks import Block

from streamchat.texts import text

# Gradio copies a file, or downloads an address, that a value names, and then serves the copy to
# whoever asks. There is no public way to turn that off, and no value of this chat names a file.
INTO_THE_CACHE = (
    (Block, "move_resource_to_block_cache"),
    (Block, "async_move_resource_to_block_cache"),
    (processing_utils, "save_file_to_cache"),
    (processing_utils, "save_bytes_to_cache"),
    (processing_utils, "save_base64_to_cache"),
    (processing_utils, "save_pil_to_cache"),
    (processing_utils, "save_img_array_to_cache"),
    (processing_utils, "save_audio_to_cache"),
    (processing_utils, "save_url_to_cache"),
    (processing_utils, "ssrf_protected_download"),
    (processing_utils, "async_ssrf_protected_download"),
    (processing_utils, "unsafe_download"),
)


def install() -> None:
    for owner, name in INTO_THE_CACHE:
        setattr(owner, name, refuse_file)


def refuse_file(*_: Any, **__: Any) -> NoReturn:
    raise gr.Error(text("no_files"), print_exception=False)
