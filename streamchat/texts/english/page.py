"""The sentences of the page before the first question."""

SENTENCES = {
    "demo_mode": "*Demo mode: no API key yet*",
    "use_own_key": "Use your own key",
    "go_on": "Continue the answer",
    "placeholder": "Type a message...",
}
