"""The violations of a Content-Security-Policy that a browser reports."""

from playwright.sync_api import BrowserContext, ConsoleMessage

LISTEN = """addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sourceFile, sample }) =>
  violated(`${effectiveDirective} ${blockedURI} in ${sourceFile}: ${sample}`))"""


def watch(context: BrowserContext) -> list[str]:
    """A list that grows with each violation on any page of the context."""
    found: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            found.append(message.text)

    # Playwright takes no builtins
    context.expose_function("violated", lambda it: found.append(it))  # noqa: PLW0108
    context.add_init_script(LISTEN)
    context.on("console", heard)
    return found
