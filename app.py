"""StreamChat: `python app.py` opens the chat, `python app.py --help` says what else it can do."""

import sys

if sys.version_info < (3, 11):
    sys.stderr.write("StreamChat needs Python 3.11 or later.\n")
    sys.exit(2)

import threading

from streamchat import command, start

# `gradio app.py` runs this file again in another thread whenever it changes, and takes `demo` from
# it
IN_CHARGE = __name__ == "__main__" and threading.current_thread() is threading.main_thread()
options = command.NO_OPTIONS
if IN_CHARGE:
    options, listener = start.begin("app.py")
else:
    start.prepare()

from streamchat import program

app = program.created(options)
demo = app.page

if IN_CHARGE:
    program.serve(app, listener, options)
