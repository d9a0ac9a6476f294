"""The agent's own tools: put the caller through, end the call. What the shop lends it is in `orders.tools`."""

from typing import Annotated

from django.db import DatabaseError

from .call.commands import HangUp, SwitchLanguage, Transfer
from .languages import LANGUAGES
from .models import AgentSettings, TransferDestination
from .toolbox import Caller, ToolError, tool
from .words import visible, written

LONGEST_REASON = 200


@tool(counted=False)
def transfer_to_human(
    caller: Caller,
    reason: Annotated[str, "Why, in one short sentence, for the person who takes the call"],
    department: Annotated[str, "The department, if one was named to you; otherwise leave it empty"] = "",
) -> Transfer:
    """Put the caller through to a person. Use it at once when the caller asks for one, is upset, or needs what you cannot do."""
    why = visible(reason[: 2 * LONGEST_REASON])[:LONGEST_REASON]
    return Transfer(why or "not given", department if is_known(department) else "")


def is_known(department: str) -> bool:
    """Not if that cannot be found out: a caller who wants a person does not wait for the database."""
    try:
        # Compared here and not by the database, which would refuse some of what a model may write.
        return bool(department) and department in TransferDestination.objects.values_list("department", flat=True)
    except DatabaseError:
        return False


@tool(counted=False)
def end_call(caller: Caller) -> HangUp:
    """Hang up, after you have said goodbye. Use it when the caller says goodbye or needs nothing more."""
    return HangUp()


@tool
def switch_language(
    caller: Caller, language: Annotated[str, "Its two letters, such as de, or its English name, such as German"]
) -> SwitchLanguage:
    """Go on in another language. Use it when the caller asks for one, or speaks another one than you do."""
    wanted = language.strip().casefold()
    spoken_here = AgentSettings.current(caller.line).languages
    found = next((code for code, one in LANGUAGES.items() if wanted in (code, one.name.casefold())), "")
    if found not in spoken_here:
        raise ToolError(written("agent/language_not_spoken.txt", names=[LANGUAGES[code].name for code in spoken_here]))
    return SwitchLanguage(found)


TOOLS = (transfer_to_human, end_call, switch_language)
