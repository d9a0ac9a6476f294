"""Who may do what in the admin: support staff review calls, managers also run the shop and the agent.

The groups are made after every `migrate` (see `apps`) and not by a data migration: only then do all permissions exist, also
those of models that later migrations add. What a role has been given beyond this by hand stays.
"""

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

SUPPORT_STAFF = "Support staff"
MANAGERS = "Managers"

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
MANAGE: dict[str, tuple[str, ...]] = {
    "orders.customer": EDIT,
    "orders.order": EDIT,
    "orders.orderitem": ALL,
    "orders.appointment": EDIT,
    "orders.openinghours": ALL,
    "orders.closure": ALL,
    "orders.helparticle": ALL,
    "voiceagent.agentsettings": EDIT,
    "voiceagent.transferdestination": ALL,
    "voiceagent.agentswitch": ("view", "add"),
    "voiceagent.blockednumber": ALL,
}
ROLES = {SUPPORT_STAFF: REVIEW, MANAGERS: REVIEW | MANAGE}


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
