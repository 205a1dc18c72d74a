"""Notes under an answer that ended early, by the reason of the end."""

ENDINGS = {
    "stopped": "Stopped.",
    "abandoned": "Stopped, because nobody was reading any more.",
    "shutdown": "Interrupted: the server was stopped.",
    "max_tokens": "The answer ended here because it reached its longest allowed length.",
    "refusal": "Claude declined to answer this. Rephrase or remove the question to go on.",
    "model_context_window_exceeded": (
        "The answer ended here: the conversation fills all that Claude can remember."
    ),
    "pause_turn": "Claude paused here. The answer may not be whole.",
    "tool_use": (
        "Claude ended here to use a tool, which this chat does not have. The answer may not be"
        " whole."
    ),
}
UNKNOWN_ENDING = (
    "Claude ended here for a reason that this chat does not know. The answer may not be whole."
)
