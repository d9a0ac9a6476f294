"""Switches the agent off and on for new calls, from a shell: the same as the page *On or off* in the admin."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from voiceagent.models import AgentSwitch


class Command(BaseCommand):
    help = "Switch the agent off (people take new calls) or on; calls under way go on. Without a word: how it is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("to", choices=["off", "on"], nargs="?")
        parser.add_argument("--reason", default="", help="for whoever wonders later")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["to"]:
            AgentSwitch.turn(on=options["to"] == "on", reason=options["reason"], by="manage.py")
        off = AgentSwitch.off()
        self.stdout.write(f"The agent is off since {off.at:%Y-%m-%d %H:%M} UTC, by {off.by}." if off else "The agent is on.")
