"""Who may do what: Sam reviews calls, Mia also runs the shop."""

import re
from io import StringIO

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from staff.roles import AUDITORS, MANAGERS, PRIVACY, ROLES, SUPPORT_STAFF, make_roles

pytestmark = pytest.mark.django_db


def permissions(role: str) -> set[str]:
    found = Permission.objects.filter(group__name=role).values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in found}


def created(*options: str) -> str:
    out = StringIO()
    call_command("create_demo_staff", *options, stdout=out)
    return out.getvalue()


class TestRoles:
    @pytest.mark.parametrize("role", ROLES)
    def test_every_role_has_every_permission_it_names_on_a_fresh_database(self, role: str) -> None:
        named = {f"{model.split('.')[0]}.{verb}_{model.split('.')[1]}" for model, verbs in ROLES[role].items() for verb in verbs}
        assert permissions(role) == named

    def test_support_staff_review_calls_and_nothing_else(self) -> None:
        others = {name for name in permissions(SUPPORT_STAFF) if not name.startswith("calllogs.")}
        assert others == {"staff.reveal_contacts"}
        assert "calllogs.play_recording" in permissions(SUPPORT_STAFF)
        assert not any("delete" in name or "add" in name for name in permissions(SUPPORT_STAFF))

    def test_managers_also_run_the_shop_and_the_agent(self) -> None:
        assert permissions(SUPPORT_STAFF) - permissions(MANAGERS) == {"staff.reveal_contacts"}  # they see them anyway
        assert "staff.see_contacts" in permissions(MANAGERS)
        assert {"orders.change_order", "orders.change_helparticle", "voiceagent.change_agentsettings"} < permissions(MANAGERS)

    def test_auditors_look_and_do_nothing(self) -> None:
        assert {name.split(".")[1].split("_")[0] for name in permissions(AUDITORS)} == {"view", "export"}
        assert {"staff.view_auditevent", "auth.view_user", "orders.view_order"} < permissions(AUDITORS)

    def test_only_managers_and_privacy_always_see_how_people_are_reached(self) -> None:
        assert {role for role in ROLES if "staff.see_contacts" in permissions(role)} == {MANAGERS, PRIVACY}

    @pytest.mark.parametrize("role", ROLES)
    def test_nobody_deletes_or_invents_a_call(self, role: str) -> None:
        assert not {"calllogs.delete_calllog", "calllogs.add_calllog", "calllogs.delete_recording"} & permissions(role)

    def test_what_was_given_by_hand_stays(self) -> None:
        Group.objects.get(name=SUPPORT_STAFF).permissions.add(Permission.objects.get(codename="view_order"))
        make_roles()
        assert "orders.view_order" in permissions(SUPPORT_STAFF)


class TestDemoStaff:
    def test_sam_and_mia_can_log_in_with_the_passwords_shown(self) -> None:
        shown = dict(re.findall(r"(\w+) / (\S+)", created()))
        assert set(shown) == {"sam", "mia"}
        for name, password in shown.items():
            user = authenticate(username=name, password=password)
            assert user is not None
            assert user.is_staff
            assert not user.is_superuser

    def test_sam_is_support_staff_and_mia_a_manager(self) -> None:
        created()
        groups = dict(get_user_model().objects.values_list("username", "groups__name"))
        assert groups == {"sam": SUPPORT_STAFF, "mia": MANAGERS}

    def test_a_second_time_changes_no_password(self) -> None:
        [password] = re.findall(r"sam / (\S+)", created())
        assert " / " not in created()
        assert authenticate(username="sam", password=password) is not None

    def test_new_passwords_replace_the_old_ones(self) -> None:
        [old] = re.findall(r"sam / (\S+)", created())
        [new] = re.findall(r"sam / (\S+)", created("--new-passwords"))
        assert authenticate(username="sam", password=old) is None
        assert authenticate(username="sam", password=new) is not None


@pytest.mark.django_db(transaction=True)
def test_roles_come_back_when_a_database_is_emptied() -> None:
    call_command("flush", interactive=False, verbosity=0)
    assert "calllogs.view_calllog" in permissions(SUPPORT_STAFF)
