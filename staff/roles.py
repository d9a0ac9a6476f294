"""Who may do what in the admin: support staff review calls, managers also run the shop and the agent, auditors look at everything,
and whoever keeps privacy erases callers.

The groups are made after every `migrate` (see `apps`) and not by a data migration: only then do all permissions exist, also
those of models that later migrations add. What a role has been given beyond this by hand stays.
"""

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

SUPPORT_STAFF = "Support staff"
MANAGERS = "Managers"
AUDITORS = "Auditors"
PRIVACY = "Privacy"

SEE = ("view",)
EDIT = ("view", "add", "change")
ALL = (*EDIT, "delete")

# Changing a call means its disposition and note, changing a transcription a person's revision beside Whisper's: see `admin`.
REVIEW: dict[str, tuple[str, ...]] = {
    "calllogs.calllog": ("view", "change"),
    "calllogs.turn": SEE,
    "calllogs.toolcall": SEE,
    "calllogs.recording": ("view", "play"),
    "calllogs.transcription": ("view", "change"),
}
SHOP: dict[str, tuple[str, ...]] = {
    "orders.customer": (*EDIT, "export"),
    "orders.order": (*EDIT, "export"),
    "orders.orderitem": ALL,
    "orders.appointment": EDIT,
    "orders.openinghours": ALL,
    "orders.closure": ALL,
    "orders.helparticle": ALL,
}
AGENT: dict[str, tuple[str, ...]] = {
    "voiceagent.agentsettings": EDIT,
    "voiceagent.transferdestination": ALL,
    "voiceagent.agentswitch": ("view", "add"),
    "voiceagent.blockednumber": ALL,
}
RECORD: dict[str, tuple[str, ...]] = {"staff.auditevent": SEE}
MANAGE = SHOP | AGENT | RECORD | {"calllogs.calllog": ("view", "change", "export"), "staff.contacts": ("see",)}
# They look at everything and hear nothing: what a caller says of themselves cannot be hidden in a recording.
AUDIT: dict[str, tuple[str, ...]] = dict.fromkeys((*REVIEW, *SHOP, *AGENT, *RECORD, "auth.user", "auth.group"), SEE)
AUDIT |= dict.fromkeys(("calllogs.calllog", "orders.order", "orders.customer"), ("view", "export"))
# That somebody was erased: a certificate says who asked and what was found, and of whom nothing but keyed hashes.
AUDIT["calllogs.erasure"] = SEE
ERASE: dict[str, tuple[str, ...]] = {
    "calllogs.calllog": ("view", "hold"),
    "calllogs.caller": ("erase",),
    "calllogs.erasure": SEE,
    "calllogs.hold": SEE,
    "calllogs.turn": SEE,
    "calllogs.toolcall": SEE,
    "calllogs.recording": SEE,
    "calllogs.transcription": SEE,
    "orders.customer": SEE,
    "orders.order": SEE,
    "orders.appointment": SEE,
    "staff.contacts": ("see",),
}
ROLES = {
    SUPPORT_STAFF: REVIEW | {"staff.contacts": ("reveal",)},
    MANAGERS: REVIEW | MANAGE,
    AUDITORS: AUDIT,
    PRIVACY: ERASE,
}


def make_roles(using: str = "default") -> None:
    """Make the groups and give them what they lack. Safe to repeat."""
    for name, table in ROLES.items():
        group, _ = Group.objects.using(using).get_or_create(name=name)
        group.permissions.add(*Permission.objects.using(using).filter(allowed(table)))


def allowed(table: dict[str, tuple[str, ...]]) -> Q:
    found = Q(pk__in=())
    for model, verbs in table.items():
        app_label, model_name = model.split(".")
        found |= Q(content_type__app_label=app_label, codename__in=[f"{verb}_{model_name}" for verb in verbs])
    return found
