"""The door for staff: only these of allauth's pages exist, below /admin/, by the names it knows them by and in our look."""

from allauth.account import views as account
from allauth.mfa.base import views as second_factor
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from django.urls import URLPattern, path
from django.views.generic import RedirectView, View

from .pages import in_our_look


def page(route: str, view: type[View], name: str, template: str, title: str) -> URLPattern:
    return path(route, in_our_look(view.as_view(template_name=f"staff/{template}.html"), title), name=name)


urlpatterns = [
    page("sign-in/", account.LoginView, "account_login", "sign_in", "Sign in"),
    page("again/", account.ReauthenticateView, "account_reauthenticate", "again", "Is it you?"),
    page("again/code/", second_factor.ReauthenticateView, "mfa_reauthenticate", "again", "Is it you?"),
    path("logout/", account.LogoutView.as_view(http_method_names=["post"]), name="account_logout"),
    page("password/", account.PasswordChangeView, "account_change_password", "password", "Change your password"),
    # The admin's own page for it counts no tries.
    path("password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    page("second-factor/", second_factor.IndexView, "mfa_index", "second_factor", "Your second factor"),
    page("second-factor/code/", second_factor.AuthenticateView, "mfa_authenticate", "code", "Your second factor"),
    page("second-factor/set-up/", totp.ActivateTOTPView, "mfa_activate_totp", "set_up", "Set up your second factor"),
    page("second-factor/remove/", totp.DeactivateTOTPView, "mfa_deactivate_totp", "remove", "Remove your second factor"),
    page("recovery-codes/", recovery_codes.ViewRecoveryCodesView, "mfa_view_recovery_codes", "recovery_codes", "Recovery codes"),
    page(
        *("recovery-codes/new/", recovery_codes.GenerateRecoveryCodesView, "mfa_generate_recovery_codes"),
        *("new_recovery_codes", "New recovery codes"),
    ),
]
