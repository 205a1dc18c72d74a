"""`python -m streamchat` is the command `streamchat`."""

import sys

from streamchat.start import run

if __name__ == "__main__":
    # the name that `--help` shows
    sys.argv[0] = "streamchat"
    run()
