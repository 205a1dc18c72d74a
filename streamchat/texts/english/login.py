"""The words of the login."""

WORDS = {
    "name": "Log in",
    "user": "User",
    "password": "Password",
    "log_in": "Log in",
    "logged_in": "You are logged in.",
    "open_chat": "Open the chat",
    "log_out": "Log out",
}
