"""The settings of files."""

from typing import Literal

from pydantic import Field, FiniteFloat
from pydantic_settings import BaseSettings

from streamchat.attachments.bounds import MB, Bounds


class FileSettings(BaseSettings):
    """The settings of files."""

    files: Literal["on", "off"] = Field(
        "on", description="Whether visitors may send files beside a message: on or off."
    )
    file_mb: FiniteFloat = Field(5, gt=0, le=20, description="Megabytes that one file may have.")
    files_per_message: int = Field(
        5, ge=1, le=20, description="How many files one message may have."
    )
    files_per_conversation: int = Field(
        20, ge=1, le=20, description="How many files one conversation may have."
    )
    files_mb: FiniteFloat = Field(
        10, gt=0, le=20, description="Megabytes that all files of a conversation may have."
    )
    files_mb_per_hour: FiniteFloat = Field(
        200, gt=0, description="Megabytes of files that one visitor may send in an hour."
    )
    picture_megapixels: FiniteFloat = Field(
        50, gt=0, le=100, description="Millions of pixels that a picture may have."
    )
    pdf_pages: int = Field(
        100, ge=1, le=600, description="Pages that all PDFs of a conversation may have."
    )

    @property
    def file_bounds(self) -> Bounds:
        is_on = self.files == "on"
        return Bounds(
            file=round(self.file_mb * MB),
            per_message=is_on * self.files_per_message,
            per_conversation=self.files_per_conversation,
            conversation=round(self.files_mb * MB),
            hour=round(self.files_mb_per_hour * MB),
            pixels=round(self.picture_megapixels * 1_000_000),
            pages=self.pdf_pages,
        )
