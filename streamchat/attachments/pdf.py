"""PDFs: counts their pages, and the most tokens that Claude can count for them."""

import pypdfium2
from pypdfium2 import PdfDocument, PdfiumError, raw

from streamchat.attachments.attachment import PDF, Attachment, Upload
from streamchat.attachments.bounds import Bounds
from streamchat.attachments.pictures import MOST_TOKENS
from streamchat.errors import FileRefused

# of all pages; about a million tokens, more than any model takes
MOST_TEXT = 4_000_000  # bytes
OPENING = 300
NOT_PROTECTED = -1
BY_ERROR = {
    raw.FPDF_ERR_PASSWORD: "pdf_locked",
    raw.FPDF_ERR_SECURITY: "pdf_locked",
}


def pdf(upload: Upload, data: bytes, bounds: Bounds) -> Attachment:
    """The PDF unchanged. Raises `FileRefused`."""
    document = _opened(data)
    try:
        if raw.FPDF_GetSecurityHandlerRevision(document) != NOT_PROTECTED:
            raise FileRefused("pdf_locked")
        pages = len(document)
        if not pages:
            raise FileRefused("pdf_broken")
        if pages > bounds.pages:
            raise FileRefused("pdf_pages", pages=pages, most=bounds.pages)
        size, opening = _read(document, pages)
    finally:
        document.close()
    # Claude reads the text of a page, and sees the page as a picture
    most = pages * MOST_TOKENS + size
    return Attachment(upload.name, PDF, upload.data, most, len(data), pages=pages, opening=opening)


def _opened(data: bytes) -> PdfDocument:
    try:
        return PdfDocument(data)
    except PdfiumError as error:
        raise FileRefused(BY_ERROR.get(error.err_code, "pdf_broken")) from None


def _read(document: PdfDocument, pages: int) -> tuple[int, str]:
    """The size of the text of all pages, and its first words."""
    size, opening = 0, ""
    for number in range(pages):
        text = _text(document, number)
        size += len(text.encode(errors="surrogatepass"))
        if size > MOST_TEXT:
            raise FileRefused("pdf_too_long")
        opening = opening or " ".join(text[: 4 * OPENING].split())[:OPENING]
    return size, opening


def _text(document: PdfDocument, number: int) -> str:
    try:
        page = document[number]
        reading = page.get_textpage()
        # also what is invisible or outside the page
        text: str = reading.get_text_range()
        reading.close()
        page.close()
    except pypdfium2.PdfiumError:
        raise FileRefused("pdf_broken") from None
    return text
