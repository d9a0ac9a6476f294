"""What staff did, kept for good. A row is written once: the database refuses to change or delete it, whoever asks (migration 0001).

No row holds anything of a caller, since none could be erased: which row it was, and of a change the names of the fields.
"""

from django.conf import settings
from django.db import models
from django.utils import timezone


class AuditEvent(models.Model):
    class Action(models.TextChoices):
        SIGNED_IN = "signed_in"
        SIGN_IN_FAILED = "sign_in_failed"
        SIGNED_OUT = "signed_out"
        VIEWED = "viewed"
        REVEALED = "revealed"
        PLAYED = "played"
        EXPORTED = "exported"
        ADDED = "added"
        CHANGED = "changed"
        DELETED = "deleted"
        ERASED = "erased"
        ROLES_CHANGED = "roles_changed"
        SWITCHED = "switched", "Switched on or off"

    at = models.DateTimeField(default=timezone.now, editable=False)
    action = models.CharField(max_length=20, choices=Action)
    # Without a constraint: who is deleted later did it all the same.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        related_name="+",
        help_text="Empty: the system.",
    )
    actor_name = models.CharField(max_length=150, blank=True)
    address = models.GenericIPAddressField(null=True, help_text="Where the request came from.")
    target_type = models.CharField(max_length=100, blank=True, help_text="Of what kind of row, such as calllogs.calllog.")
    target_id = models.CharField(max_length=64, blank=True)
    facts = models.JSONField(default=dict, help_text="What more there is to say of it, without a word of any caller's.")

    class Meta:
        ordering = ("-at", "-pk")
        default_permissions = ("view",)
        # Not of these rows but of all that hold it; there is no better place.
        permissions = (
            ("see_contacts", "Can see how people are reached"),
            ("reveal_contacts", "Can ask to be shown how somebody is reached"),
        )
        indexes = (
            models.Index(fields=("-at", "-id"), name="audit_newest_first"),
            models.Index(fields=("target_type", "target_id", "-at"), name="audit_of_a_row"),
            models.Index(fields=("actor", "-at"), name="audit_of_a_person"),
            # What is searched.
            models.Index(fields=("actor_name", "-at"), name="audit_of_a_name"),
            models.Index(fields=("target_id", "-at"), name="audit_of_a_number"),
        )

    def __str__(self) -> str:
        return f"{self.actor_name or 'the system'} {self.get_action_display().lower()} {self.target_type} {self.target_id}".strip()
