"""Attacks on the chat; each test fails if its attack works."""
