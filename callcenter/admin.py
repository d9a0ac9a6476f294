"""Users and roles in the admin's own look, and the admin behind the door for staff."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from staff import again, audit
from staff.admin_pages import AnyPages
from staff.audit import Action
from staff.sign_in import forget_second_factor

admin.site.unregister([User, Group])
# Nobody looks at another's second factor, and no addresses are kept.
admin.site.unregister([EmailAddress, Authenticator])
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


class RoleChanges(AnyPages):
    """Who was given what, and what was taken from them, is a deed of its own, by name and before and after. Whoever does it has
    just said again who they are: an open session would otherwise be enough to let anybody in for good.
    """

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may = self.has_change_permission(request) if object_id else self.has_add_permission(request)
        if request.method == "POST" and may and not again.was_asked(request):
            return again.ask(request)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        request.roles_before = roles_of(type(obj).objects.select_for_update().get(pk=obj.pk)) if change else {}  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        before, after = request.roles_before, roles_of(form.instance)  # type: ignore[attr-defined]
        nothing: dict[str, Any] = {"groups": [], "permissions": [], "is_staff": False, "is_superuser": False}
        changed: dict[str, Any] = {name: [before.get(name, nothing[name]), now] for name, now in after.items()}
        if changed := {name: pair for name, pair in changed.items() if pair[0] != pair[1]}:
            audit.note(Action.ROLES_CHANGED, form.instance, request=request, **changed)


def roles_of(row: Any) -> dict[str, Any]:
    """What a person may do, or a role."""
    if isinstance(row, Group):
        return {"permissions": named(row.permissions)}
    return {
        "groups": sorted(row.groups.values_list("name", flat=True)),
        "permissions": named(row.user_permissions),
        "is_staff": row.is_staff,
        "is_superuser": row.is_superuser,
    }


def named(permissions: Any) -> list[str]:
    return sorted(f"{app}.{codename}" for app, codename in permissions.values_list("content_type__app_label", "codename"))


@admin.register(User)
class Users(RoleChanges, UserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    actions = ("forget_second_factors",)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        if self.has_change_permission(request) and not again.was_asked(request):
            return again.ask(request)
        return super().user_change_password(request, id, form_url)

    @admin.action(description="Forget the second factor, for who has lost it", permissions=["change"])
    def forget_second_factors(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | list[int]:
        if not again.was_asked(request):
            return again.ask(request)
        for user in queryset:
            forget_second_factor(user, request=request)
        self.message_user(request, "They set up another when they sign in next; let that be soon.")
        # Each is written down with what became of it.
        return []


@admin.register(Group)
class Roles(RoleChanges, GroupAdmin, ModelAdmin):  # type: ignore[misc]
    pass
