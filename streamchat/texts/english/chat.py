"""The words of the chat's own scripts."""

WORDS = {
    # numbers and dates are written as in this language
    "locale": "en",
    # the page as a whole
    "refused": "The server or a proxy before it refused a request of this page ({status}).",
    "not_loaded": (
        "The chat could not be loaded, because {file} is missing. Reload the page. If the chat is"
        " yours and runs behind a proxy, docs/proxies.md explains the settings."
    ),
    "unreachable": "The chat cannot be reached. Check your connection.",
    "unreachable_try_again": "The chat cannot be reached. Try again.",
    "failed": "That did not work. Try again in a moment.",
    "trying_again": "{message} Trying again.",
    "close": "Close",
    "dismiss": "Dismiss",
    "undo": "Undo",
    "copy": "Copy",
    "copied": "Copied.",
    # the menu of the header
    "menu": "Menu",
    "theme": "Theme",
    "theme_system": "System theme",
    "theme_light": "Light theme",
    "theme_dark": "Dark theme",
    "about": "About",
    "about_demo": "There is no API key here yet, so the answers are prepared texts.",
    "about_claude": (
        "Claude, a model by Anthropic, writes the answers. It can be wrong: check what matters."
    ),
    "about_unkept": (
        "Conversations are not kept here. A new chat, or a closed page, ends this one for good."
    ),
    "about_api": "The HTTP API of this chat",
    "see_states": "See every state",
    # the box
    "placeholder": "Type a message...",
    "placeholder_next": "Write your next message.",
    "placeholder_next_esc": "Write your next message. Esc stops the answer.",
    "send": "Send",
    "stop": "Stop",
    "message_too_long": ("A message may have {most} characters. This one would have {length}."),
    "edit_question": "Edit the question",
    "unsent": "Stopped. Nothing was sent.",
    # files
    "add_files": "Add files",
    "remove_file": "Remove {name}",
    "sending_file": "Sending {name}",
    "files_of_message": "Files of your message",
    "files_of_question": "Files of this question",
    "file_not_sent": "That did not work. Add the file again in a moment.",
    "file_unreachable": (
        "The chat cannot be reached. Check your connection, and add the file again."
    ),
    # questions and answers
    "show_less": "Show less",
    "show_all": "Show all",
    "in_seconds": "{words} in {seconds} s",
    "receipt": "How this answer went",
    "source_named": "Source {number}: {about}",
    "previous_version": "Previous version",
    "next_version": "Next version",
    "version_of": "Version {version} of {versions}",
    "thumb_up": "Good answer",
    "thumb_down": "Bad answer",
    "thanks": "Thank you.",
    "why": "What was good or bad about it?",
    "why_note": (
        "The owner of this chat reads what you write here, and nothing of the conversation."
    ),
    # a long chat
    "go_on_in_new": "Go on in a new chat",
    "chat_full": "This chat has become too long for another answer.",
    "chat_long": "This chat is getting long, and each answer costs more.",
    "summary_before": "This goes on from an earlier chat. So far:",
    "writing_summary": "Writing a summary…",
    "no_summary": "There is no summary: {reason} Start a new chat, or try again.",
    "unreachable_reason": "the chat cannot be reached.",
    # the sidebar
    "new_chat": "New chat",
    "new_chat_keys": "New chat ({keys})",
    "keys": "Ctrl+Shift+O",
    "keys_mac": "⇧⌘O",
    "new_chat_begun": "A new chat has begun.",
    "go_back": "Go back",
    "conversations": "Conversations",
    "saved_conversations": "Saved conversations",
    "search": "Search",
    "search_conversations": "Search conversations",
    "none_found": "No conversation matches.",
    "none_saved": "Your conversations will be listed here.",
    "today": "Today",
    "yesterday": "Yesterday",
    "last_week": "Previous 7 days",
    "shared": "Shared",
    "is_answering": "An answer is being written",
    "options_of": "Options of {title}",
    # one conversation
    "rename": "Rename",
    "conversation_name": "Name of the conversation",
    "share": "Share",
    "export_markdown": "Export Markdown",
    "export_json": "Export JSON",
    "delete": "Delete",
    "delete_key": "Del",
    "deleted": "Deleted “{title}”",
    # all of them
    "export_all": "Export all",
    "delete_all": "Delete all",
    "delete_all_title": "Delete all conversations?",
    "delete_all_means": "They are removed from this chat, and links to them end.",
    "deleted_all_one": "Deleted {count} conversation.",
    "deleted_all_other": "Deleted {count} conversations.",
    "cancel": "Cancel",
    "import": "Import",
    "file_to_import": "File to import",
    "imported_one": "Imported {count} conversation.",
    "imported_other": "Imported {count} conversations.",
    "import_empty": "This file has no conversations.",
    "more_left_out_one": "{count} more file was left out.",
    "more_left_out_other": "{count} more files were left out.",
    "import_too_large": "This file is larger than {most} MB.",
    "import_not_json": "This is no file of conversations: it is not JSON.",
    # the link to a conversation
    "share_title": "Share conversation",
    "share_with_users": "Everybody who can log in here and has the link can read it.",
    "share_with_all": "Everybody who has the link can read it.",
    "share_new": (
        "Make a link to this conversation. {readers} It shows the questions and answers as they are"
        " now, with their pictures and the names of other files, and without your name. Later"
        " messages are not in it."
    ),
    "share_old": (
        "{readers} It shows the conversation as it was when you made the link or updated it."
    ),
    "link": "Link",
    "link_selected": "The link is selected. Copy it.",
    "link_made": "Here is your link.",
    "link_updated": "The link now shows the conversation as it is.",
    "link_withdrawn": "The link no longer works.",
    "make_link": "Make a link",
    "update_link": "Update link",
    "stop_sharing": "Stop sharing",
    # the options
    "options": "Options",
    "options_now": "Options: {chosen}",
    "demo": "Demo",
    "with_instructions": "with your instructions",
    "model": "Model",
    "model_not_usable": "{name} cannot be used here now. {instead} answers in its place.",
    "chosen_model": "The model that you chose",
    "model_unavailable": "No longer available.",
    "model_too_dear": (
        "May cost more than you can spend here in a day. Your own API key can pay for it."
    ),
    "effort": "How thorough",
    "effort_low": "Faster",
    "effort_medium": "Balanced",
    "effort_high": "More thorough",
    "effort_xhigh": "Very thorough",
    "effort_max": "Most thorough",
    "show_thinking": "Show thinking",
    "search_web": "Search the web",
    "searches": "Web search",
    "instructions": "Your instructions",
    "instructions_example": "For example: answer briefly, in French.",
    "instructions_too_long": "Too long to send. Shorten your instructions.",
    "instructions_length": "{length} of {most} characters",
    "options_hold": "These hold from your next question on.",
    # the visitor's own key
    "own_key": "Your own API key",
    "own_key_use": "With one, Claude answers at your expense.",
    "own_key_used": "Claude answers at your expense.",
    "own_key_means": (
        "With a key from the Claude Console, Claude answers at your expense. It stays in this page,"
        " until you close or reload it."
    ),
    "own_key_gone": (
        "Your API key is gone, because the page was loaded again. Nothing is sent until you choose."
    ),
    "api_key": "API key",
    "remove": "Remove",
    "done": "Done",
    "enter_key_again": "Enter the key again",
    "go_on_without_key": "Go on without it",
}
