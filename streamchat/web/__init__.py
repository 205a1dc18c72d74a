"""Parts that all HTTP faces share: refusals as JSON, logins, bounds, and checks of where a request
comes from."""

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
    "login",
    "opening",
    "passwords",
    "preview",
    "problem",
    "readers",
    "sessions",
    "whole",
]
