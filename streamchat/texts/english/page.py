"""The sentences of the page before the first question."""

SENTENCES = {
    "demo_mode": "*Demo mode: no API key yet*",
    "demo_answer": "Demo",
    "retry": "Try again",
    "go_on": "Continue the answer",
    "new_chat": "Start a new chat",
    "own_key": "Use your own key",
    "other_key": "Change your key",
}
