"""Parts that all HTTP faces share: refusals as JSON, logins, bounds, and the check of a request's
origin."""

__all__ = [
    "accept",
    "admission",
    "allowlist",
    "bodies",
    "calls",
    "concurrency",
    "connections",
    "cookies",
    "crowd",
    "headers",
    "hosts",
    "icons",
    "login",
    "login_page",
    "opening",
    "passwords",
    "paths",
    "preview",
    "problem",
    "readers",
    "refusal_page",
    "sessions",
    "shell",
    "whole",
]
