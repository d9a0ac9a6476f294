"""Who buys here. A customer is a row a caller may turn out to be; that they are is proved elsewhere (`proofs`)."""

import re

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower

from staff import versions

E164 = r"^\+[1-9][0-9]{6,14}$"
is_e164 = RegexValidator(E164, "Write the number in full, like +14155550142.")


def normal_postcode(postcode: str) -> str:
    """The letters and digits that matter: "SW1A 1AA" and "sw1a1aa" are one postcode, and ZIP+4 is its ZIP."""
    compact = re.sub(r"[^0-9A-Z]", "", postcode.upper())
    return compact[:5] if re.fullmatch(r"\d{9}", compact) else compact


class Customer(models.Model):
    name = models.CharField(max_length=120)
    email = models.EmailField("e-mail")
    phone = models.CharField(max_length=16, blank=True, validators=[is_e164])
    address = models.CharField(max_length=200, blank=True)
    postcode = models.CharField(max_length=12, blank=True)
    since = models.DateTimeField("customer since", auto_now_add=True)

    history = versions.versions()

    class Meta:
        ordering = ["name"]
        permissions = (("export_customer", "Can export customers"),)
        constraints = [
            models.UniqueConstraint(
                Lower("email"), name="one_customer_per_email", violation_error_message="A customer with this e-mail exists."
            ),
            models.CheckConstraint(
                condition=models.Q(phone="") | models.Q(phone__regex=E164),
                name="customer_phone_is_e164",
                violation_error_message="Write the number in full, like +14155550142.",
            ),
        ]
        indexes = [models.Index(fields=["phone"]), models.Index(fields=["name"])]

    def __str__(self) -> str:
        return self.name

    def has_email(self, email: str) -> bool:
        return bool(email) and self.email.casefold() == email.casefold()

    def has_postcode(self, postcode: str) -> bool:
        return bool(postcode) and normal_postcode(self.postcode) == normal_postcode(postcode)
