"""What of signing in is ours: who may, what is written down of it, and that second factors are kept encrypted.

The tries are counted by allauth (`ACCOUNT_RATE_LIMITS`), in a cache that all processes share. Nothing that was typed is kept: of a
try that failed, the account's own name if there is one.
"""

import time
from base64 import urlsafe_b64encode
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import ChangePasswordForm
from allauth.account.signals import password_changed, user_logged_in
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import (
    authentication_failed,
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
    authenticator_used,
)
from cryptography.fernet import Fernet, InvalidToken
from django.contrib.auth import get_user_model, signals
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from . import audit, door


class StaffAccounts(DefaultAccountAdapter):  # type: ignore[misc]
    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Who works here. Everybody else is told what a wrong password is told."""
        user: User | None = super().authenticate(request, **credentials)
        if user and user.is_active and not user.is_staff:
            failed(request=request, credentials=credentials)
        return user if user and user.is_active and user.is_staff else None

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_reauthentication_required(self, **_: Any) -> bool:
        """For what is done to one's own second factor. Who signed in a moment ago has just been asked."""
        return bool(time.time() - context.request.session.get(door.BEGAN, 0) >= app_settings.REAUTHENTICATION_TIMEOUT)


class NewPassword(ChangePasswordForm):  # type: ignore[misc]
    def clean_oldpassword(self) -> str:
        """Whoever sits down at somebody's open session and tries passwords is written down like one at the door."""
        try:
            return str(super().clean_oldpassword())
        except ValidationError:
            failed(request=context.request, credentials={"username": self.user.get_username()})
            raise


class SecondFactors(DefaultMFAAdapter):  # type: ignore[misc]
    def encrypt(self, text: str) -> str:
        return key().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return key().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            raise ImproperlyConfigured(
                "This second factor was set up under another SECRET_KEY; set that again, or `manage.py forget_second_factor`"
            ) from None


def key() -> Fernet:
    return Fernet(urlsafe_b64encode(salted_hmac("staff.second_factor", "", algorithm="sha256").digest()))


def forget_second_factor(user: User, *, request: HttpRequest | None = None, by: str = "") -> None:
    """For somebody who has lost it; where one is required they set up another when they sign in next."""
    Authenticator.objects.filter(user=user).delete()
    audit.note(audit.Action.CHANGED, user, request=request, by=by, second_factor="forgotten")


def signed_in(*, request: HttpRequest, user: User, **_: Any) -> None:
    audit.note(audit.Action.SIGNED_IN, user, request=request, second_factor=request.session.get(door.SHOWN) == user.pk)


def failed(*, request: HttpRequest | None = None, credentials: dict[str, Any], **_: Any) -> None:
    known = get_user_model().objects.filter(username__iexact=credentials.get("username", "")).first()
    audit.note(audit.Action.SIGN_IN_FAILED, known, request=request, by=known.get_username() if known else "")


def failed_second_factor(*, request: HttpRequest, user: User, **_: Any) -> None:
    audit.note(audit.Action.SIGN_IN_FAILED, user, request=request, by=user.get_username(), second_factor=True)


def signed_out(*, request: HttpRequest, user: User | None, **_: Any) -> None:
    if user:
        audit.note(audit.Action.SIGNED_OUT, user, request=request)


def changed_password(*, request: HttpRequest, user: User, **_: Any) -> None:
    audit.note(audit.Action.CHANGED, user, request=request, by=user.get_username(), fields=["password"])


def second_factor_added(*, request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        door.shown(request, user.pk)
        audit.note(audit.Action.CHANGED, user, request=request, second_factor="set up")


def second_factor_removed(*, request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        # There is none any more that this session could have shown.
        request.session.pop(door.SHOWN, None)
        audit.note(audit.Action.CHANGED, user, request=request, second_factor="removed")


def recovery_codes_made(*, request: HttpRequest, user: User, **_: Any) -> None:
    audit.note(audit.Action.CHANGED, user, request=request, second_factor="new recovery codes")


def listen() -> None:
    signals.user_logged_in.connect(lambda request, **_: door.begin(request), weak=False, dispatch_uid="staff.begin")
    authenticator_used.connect(lambda request, user, **_: door.shown(request, user.pk), weak=False, dispatch_uid="staff.shown")
    user_logged_in.connect(signed_in)
    signals.user_login_failed.connect(failed)
    signals.user_logged_out.connect(signed_out)
    authentication_failed.connect(failed_second_factor)
    password_changed.connect(changed_password)
    authenticator_added.connect(second_factor_added)
    authenticator_removed.connect(second_factor_removed)
    authenticator_reset.connect(recovery_codes_made)
