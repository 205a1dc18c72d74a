"""Gradio's theme: its variables have the values of tokens.css, in light and in dark."""

import gradio as gr


class GenericFont(gr.themes.Font):
    """A generic font family of CSS, without quotation marks. Gradio's telemetry cannot compare
    plain strings."""

    def __str__(self) -> str:
        return self.name


VALUES = {
    "body_background_fill": "var(--sc-page)",
    "background_fill_primary": "var(--sc-page)",
    "background_fill_secondary": "var(--sc-page)",
    "block_background_fill": "var(--sc-page)",
    "input_background_fill": "var(--sc-raised)",
    "body_text_color": "var(--sc-text)",
    "block_label_text_color": "var(--sc-note)",
    "body_text_color_subdued": "var(--sc-note)",
    "input_placeholder_color": "var(--sc-note)",
    "border_color_primary": "var(--sc-line)",
    "block_border_color": "var(--sc-line)",
    "panel_border_color": "var(--sc-line)",
    "border_color_accent": "var(--sc-accent)",
    "color_accent_soft": "var(--sc-bubble)",
    "code_background_fill": "var(--sc-code)",
    "link_text_color": "var(--sc-text)",
    "link_text_color_hover": "var(--sc-text)",
    "link_text_color_visited": "var(--sc-text)",
    "link_text_color_active": "var(--sc-text)",
}
THEME = gr.themes.Base(
    primary_hue="indigo",
    neutral_hue="zinc",
    radius_size="lg",
    font=[GenericFont(name) for name in ("ui-sans-serif", "system-ui", "sans-serif")],
    font_mono=[GenericFont(name) for name in ("ui-monospace", "monospace")],
).set(
    color_accent="var(--sc-accent)",
    **VALUES,
    **{f"{name}_dark": value for name, value in VALUES.items()},
)
