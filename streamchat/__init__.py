"""StreamChat: a streaming chat with Claude in which a reply is a log."""
