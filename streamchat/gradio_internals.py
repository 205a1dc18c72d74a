"""What the chat changes of Gradio's private behaviour, each name with its reason."""

from collections.abc import Callable
from functools import wraps
from inspect import unwrap
from typing import Any, NoReturn

import gradio as gr
from gradio import processing_utils
from gradio.blocks import Block, BlocksConfig
from gradio.state_holder import SessionState

# Gradio copies a file, or downloads an address, that a value names, and then serves the copy to whoever asks.
# There is no public way to turn that off, and no value of this chat names a file.
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
    """Idempotent."""
    for owner, name in INTO_THE_CACHE:
        setattr(owner, name, refuse_file)
    BlocksConfig.__copy__ = lean_copy  # type: ignore[method-assign]
    SessionState.__setitem__ = set_block  # type: ignore[method-assign]


def refuse_file(*_: Any, **__: Any) -> NoReturn:
    raise gr.Error("This chat takes no files.", print_exception=False)


class SessionConfig(BlocksConfig):
    """A session's blocks without the 40 kB of configuration that Gradio keeps beside them, with all that the visitor
    typed, for the sake of deep links."""

    @staticmethod
    def config_for_block(*_: Any, **__: Any) -> dict[str, Any]:
        return {}


original_copy: Callable[[BlocksConfig], BlocksConfig] = unwrap(BlocksConfig.__copy__)
original_set: Callable[[SessionState, int, Any], None] = unwrap(SessionState.__setitem__)


@wraps(original_copy)
def lean_copy(config: BlocksConfig) -> BlocksConfig:
    copied = original_copy(config)
    copied.__class__ = SessionConfig
    return copied


@wraps(original_set)
def set_block(session: SessionState, key: int, value: Any) -> None:
    """Gives a component that replaces another one its id. With a new id Gradio keeps both: one more for each reply."""
    if isinstance(value, Block):
        value._id = key
    original_set(session, key, value)
