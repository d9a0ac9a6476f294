"""How often tools may be used in one call, whatever the model wants. Counted in the database, over all streams of the call.

A use counts when it is asked for, a deed when it is done: in the transaction that does it, so that of many at once no more than
are allowed come about.
"""

from dataclasses import dataclass
from typing import Literal

from django.db import connection, transaction
from django.db.models import F

from .models import ToolUses

# `over`: it must not be used, and the caller is offered a person. `at_an_end`: that was said often enough.
Leave = Literal["given", "over", "at_an_end"]


@dataclass(frozen=True, slots=True)
class Budget:
    """A deed is a use that changed something, such as an order that was cancelled; questions on the way to it are none."""

    uses: int = 25
    uses_of_one_tool: int = 10
    deeds_of_one_tool: int = 3
    refusals: int = 2

    def ask_leave(self, call_sid: str, name: str) -> Leave:
        """Count a use of this tool, and say whether it may be made."""
        with transaction.atomic():
            with connection.cursor() as cursor:
                # One after the other, or many at once would all find the budget spent.
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext('tool uses'), hashtext(%s))", [call_sid])
            ToolUses.objects.bulk_create([ToolUses(call_sid=call_sid, name=name)], ignore_conflicts=True)
            ToolUses.objects.filter(call_sid=call_sid, name=name).update(uses=F("uses") + 1)
            uses = dict(ToolUses.objects.filter(call_sid=call_sid).values_list("name", "uses"))
        in_all = sum(uses.values())
        refused = max(in_all - self.uses, sum(max(0, one - self.uses_of_one_tool) for one in uses.values()))
        if refused > self.refusals:
            return "at_an_end"
        return "over" if in_all > self.uses or uses[name] > self.uses_of_one_tool else "given"

    def count_deed(self, call_sid: str, name: str) -> bool:
        """False: it must not happen. In the transaction of the deed."""
        open_to_more = ToolUses.objects.filter(call_sid=call_sid, name=name, deeds__lt=self.deeds_of_one_tool)
        return bool(open_to_more.update(deeds=F("deeds") + 1))
