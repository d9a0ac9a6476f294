"""`python -m simulator demo [--once]`: one spoken practice call through a call centre that is already running (see `make demo`).

`python -m simulator clips`: the English recordings in `templates/clips/`, made anew from their words.
"""

import argparse
import sys

from . import clips, demo


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    call = commands.add_parser("demo", help="place one practice call and show what staff will see")
    call.add_argument("--once", action="store_true", help="end after the call; exit status 0 only if its records are right")
    commands.add_parser("clips", help="make the recordings that are played when the speech engine is late")
    chosen = parser.parse_args()
    return clips.main() if chosen.command == "clips" else demo.main(once=chosen.once)


if __name__ == "__main__":
    sys.exit(main())
