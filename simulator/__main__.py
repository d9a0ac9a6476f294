"""`python -m simulator demo [--once]`: one spoken practice call through a call centre that is already running (see `make demo`)."""

import argparse
import sys

from . import demo


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    call = commands.add_parser("demo", help="place one practice call and show what staff will see")
    call.add_argument("--once", action="store_true", help="end after the call; exit status 0 only if its records are right")
    return demo.main(once=parser.parse_args().once)


if __name__ == "__main__":
    sys.exit(main())
