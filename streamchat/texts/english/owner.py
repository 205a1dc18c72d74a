"""The words of the owner's page."""

WORDS = {
    "name": "The owner's page",
    "to_chat": "Chat",
    "to_docs": "HTTP API",
    # the switch
    "claude_answers": "Claude answers",
    "claude_paused": "Claude is paused",
    "claude_troubled": "Claude does not answer",
    "claude_unrecorded": "Claude is not asked",
    "demo_answers": "The demo answers",
    "other_answers": "{source} answers",
    "meaning_answers": (
        "Turn it off and visitors read that you have paused Claude, programs are told to come back"
        " later, and replies that run go on."
    ),
    "meaning_paused": (
        "Since {since} visitors read that you have paused Claude, and programs are told to come"
        " back later."
    ),
    "meaning_troubled": (
        "{sentence} Since {since} visitors read that this chat cannot reach Claude."
    ),
    "meaning_unrecorded": (
        "What answers cost cannot be written to the disk. See the log, and the folder"
        " STREAMCHAT_DATA_DIR."
    ),
    "meaning_demo": "No key to Claude is set, so nothing is spent and there is nothing to pause.",
    "meaning_other": "Its answers cost nothing here, so there is no budget and nothing to pause.",
    # money
    "money": "Money today",
    "spent": "spent",
    "reserved": "set aside",
    "left": "left",
    "money_said": "{spent} spent, {reserved} set aside, {left} left",
    "assumed": (
        "Of the money spent, {assumed} is assumed: Claude was stopped, or failed, before it"
        " counted."
    ),
    # replies
    "replies": "Replies",
    "replies_ended": "in 24 hours",
    "replies_failed": "of these failed",
    "replies_running": "running now",
    "searches": "web searches in 24 hours",
    "running": "Running now",
    "none_running": "No reply is running.",
    "stop": "Stop",
    "visitor": "visitor {visitor}",
    "no_word": "no word yet",
    "words": "{words} words",
    # settings
    "settings": "Settings",
    "settings_hold": "A change holds at once.",
    "settings_kept": "It outlives a restart.",
    "settings_lost": "It is lost with a restart, as the chat keeps nothing on a disk.",
    "save": "Save",
    "saved": "Saved.",
    "back_to": "Back to {value}",
    "back_to_none": "Back to none",
    "label_daily_budget_usd": "Dollars a day for all",
    "hint_daily_budget_usd": "All visitors together, in a UTC day.",
    "label_visitor_budget_usd": "Dollars a day for one visitor",
    "hint_visitor_budget_usd": "In a UTC day.",
    "label_welcome": "Greeting of an empty chat",
    "hint_welcome": "In place of its name.",
    "label_tagline": "Sentence below it",
    "hint_tagline": "One line, also in previews of links.",
    "label_rate_limit": "How often one visitor may ask",
    "hint_rate_limit": "As in 20/minute;300/day, or off.",
    # links to conversations
    "links": "Shared conversations",
    "links_note": "Links that readers have made. Their words are not shown here.",
    "none_links": "Nothing is shared.",
    "link_of": "Shared {since}",
    "link_opened": "opened {number} times since the start",
    "link_opened_once": "opened once since the start",
    "link_unopened": "not opened since the start",
    "end_link": "End",
    "end_link_label": "End the link shared {since}",
    "end_link_sure": "Ends for good: press again",
    # charts
    "today": "Spend today, by the hour",
    "none_today": "Nothing was spent today.",
    "month": "Spend in 30 days",
    "none_month": "Nothing was spent in 30 days.",
    "speed": "How fast it is",
    "period": "Period",
    "hours": "24 hours",
    "days": "30 days",
    "first_word": "Time to the first word",
    "tokens": "Tokens per second",
    "none_ended": "No reply in this time.",
    "up": "Thumbs up in 30 days",
    "none_up": "No thumb up in 30 days.",
    "down": "Thumbs down in 30 days",
    "none_down": "No thumb down in 30 days.",
    "in_all": "{sum} in all",
    "hourly_all": "Hourly medians of {most}",
    "hourly_between": "Hourly medians from {least} to {most}",
    "daily_all": "Daily medians of {most}",
    "daily_between": "Daily medians from {least} to {most}",
    "nothing": "nothing",
    # how replies ended
    "errors": "Errors",
    "none_errors": "No error in 30 days.",
    "error_note": "{reason}, last {since}",
    "ends": "Other ends",
    "none_ends": "No reply has ended in 30 days.",
    "end_end_turn": "came to their end",
    "end_max_tokens": "ran out of room",
    "end_refusal": "declined by Claude",
    "end_stopped": "stopped",
    "end_abandoned": "nobody was reading",
    "end_shutdown": "the server stopped",
    # readers
    "said": "What readers wrote with a thumb",
    "thumb_up": "thumb up, {since}",
    "thumb_down": "thumb down, {since}",
    "throttled": "Visitors throttled",
    "none_throttled": "Nobody has asked too often.",
    "throttled_for": "for {time}",
    # the page itself
    "footer": (
        "Days and hours are UTC. A visitor is a name that holds for a day, the same as in the log."
    ),
    "seconds": "{number} s",
    "minutes": "{number} min",
    "answered_with": "The server answers with {status}.",
    "no_answer": "The server does not answer. Trying again.",
}
