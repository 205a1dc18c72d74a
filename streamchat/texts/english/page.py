"""What the page says before anybody has asked."""

SENTENCES = {
    "welcome": "What can I help with?",
    "demo_mode": "### Demo mode\n\nPrepared answers, no API key.",
    "own_key_helps": "With an API key of your own, entered below, Claude answers.",
    "own_key": "Your own API key",
    "own_key_kept": (
        "With a key from the Claude Console, Claude answers at your expense. It is kept in this"
        " page only, until you close or reload it."
    ),
    "use_own_key": "Use your own key",
    "go_on": "Continue the answer",
    "placeholder": "Type a message...",
}
