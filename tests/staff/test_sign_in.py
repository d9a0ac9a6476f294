"""How staff get in: password, second factor, limits; and what is written down of it."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.models import Group, User
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import get_resolver

from staff import urls
from staff.models import AuditEvent

pytestmark = pytest.mark.django_db

# That a second factor was set up is told once it is written.
really_committed = pytest.mark.django_db(transaction=True)
PASSWORD = "correct horse battery"
NOON = 1_800_000_000
SIGN_IN, SET_UP, CODE = "/admin/sign-in/", "/admin/second-factor/set-up/", "/admin/second-factor/code/"


@pytest.fixture
def sam() -> User:
    return User.objects.create_superuser("sam", password=PASSWORD)


@pytest.fixture(autouse=True)
def at_noon() -> Iterator[None]:
    """When a code begins to count: it does so for half a minute."""
    with time_machine.travel(NOON):
        yield


@pytest.fixture
def required(settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = "required"


def signs_in(client: Client, name: str = "sam", password: str = PASSWORD, **more: Any) -> Any:
    return client.post(SIGN_IN, {"login": name, "password": password}, **more)


def code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def sets_up(client: Client) -> str:
    """The secret in the app."""
    (secret,) = re.findall(r"<code>(\w+)</code>", client.get(SET_UP).content.decode())
    assert client.post(SET_UP, {"code": code(secret)}).url == "/admin/recovery-codes/"
    return str(secret)


def written() -> list[tuple[str, str, dict[str, Any]]]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", "actor_name", "facts"))


def is_in(client: Client) -> bool:
    return client.get("/admin/auth/user/").status_code == 200


class TestPassword:
    def test_a_name_and_a_password_let_staff_in_and_take_them_where_they_were_going(self, client: Client, sam: User):
        ask = client.get("/admin/auth/user/", follow=True)
        assert ask.redirect_chain[-1][0].startswith(SIGN_IN)
        assert client.post(ask.redirect_chain[-1][0], {"login": "sam", "password": PASSWORD}).url == "/admin/auth/user/"
        assert is_in(client)

    def test_nobody_is_sent_to_another_site(self, client: Client, sam: User):
        assert client.post(f"{SIGN_IN}?next=https://elsewhere.example/", {"login": "sam", "password": PASSWORD}).url == "/admin/"

    @pytest.mark.parametrize(
        ("name", "password", "facts"),
        [
            ("sam", "wrong", {}),
            ("nobody", "wrong", {}),
            ("gone", PASSWORD, {"is_active": False}),
            ("caller", PASSWORD, {"is_staff": False}),
        ],
    )
    def test_whoever_may_not_in_is_told_the_same(self, client: Client, sam: User, name: str, password: str, facts: dict[str, bool]):
        if facts:
            User.objects.create_user(name, password=PASSWORD, **{"is_staff": True, **facts})
        answer = signs_in(client, name, password)
        assert answer.status_code == 200
        assert answer.context["form"].non_field_errors() == ["The username and/or password you specified are not correct."]
        assert not is_in(client)
        assert [(event.action, event.target_id != "") for event in AuditEvent.objects.all()] == [
            ("sign_in_failed", name != "nobody")
        ]

    def test_the_admins_own_form_lets_nobody_in(self, client: Client, sam: User):
        client.post("/admin/login/", {"username": "sam", "password": PASSWORD})
        assert not is_in(client)

    def test_a_page_of_the_shop_is_not_for_who_is_no_longer_staff(self, client: Client, sam: User):
        signs_in(client)
        User.objects.update(is_staff=False)
        assert client.get("/admin/", follow=True).status_code == 403

    def test_there_is_a_new_session_after_signing_in(self, client: Client, sam: User):
        client.get(SIGN_IN)
        session = client.session
        session["planted"] = True
        session.save()
        client.cookies["sessionid"] = planted = session.session_key
        signs_in(client)
        assert client.cookies["sessionid"].value != planted

    def test_a_new_password_signs_out_everywhere(self, client: Client, sam: User):
        elsewhere = Client()
        signs_in(client), signs_in(elsewhere)
        new = "staple battery horse"
        client.post("/admin/password/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
        assert not is_in(client)
        assert not is_in(elsewhere)
        signs_in(client, password=new)
        assert is_in(client)
        assert ("changed", "sam", {"fields": ["password"]}) in written()

    def test_a_wrong_password_in_its_place_is_written_down(self, client: Client, sam: User):
        signs_in(client)
        new = "staple battery horse"
        client.post("/admin/password/", {"oldpassword": "wrong", "password1": new, "password2": new})
        assert written()[-1][:2] == ("sign_in_failed", "sam")
        assert is_in(client)

    def test_a_password_that_is_short_or_common_is_refused(self, client: Client, sam: User):
        signs_in(client)
        for bad in ("short", "qwertyuiop123"[:11], "password1234", "1234567891011"):
            answer = client.post("/admin/password/", {"oldpassword": PASSWORD, "password1": bad, "password2": bad})
            assert answer.status_code == 200, bad

    def test_the_admins_own_way_to_change_it_leads_to_ours(self, client: Client, sam: User):
        signs_in(client)
        assert client.get("/admin/password_change/").url == "/admin/password/"

    def test_nobody_signs_up_and_no_other_page_of_the_library_is_there(self):
        named = {name for name in get_resolver().reverse_dict if isinstance(name, str) and name.startswith(("account_", "mfa_"))}
        assert named == {each.name for each in urls.urlpatterns if each.name}
        assert not named & {"account_signup", "account_reset_password", "account_email", "account_confirm_email"}


class TestTries:
    def test_after_five_wrong_passwords_an_account_is_closed_for_five_minutes_to_everybody(self, client: Client, sam: User):
        with time_machine.travel(NOON, tick=False) as clock:
            for number in range(5):
                signs_in(client, password="wrong", REMOTE_ADDR=f"192.0.2.{number}")
            answer = signs_in(Client(), REMOTE_ADDR="192.0.2.77")
            assert "Too many failed login attempts" in answer.content.decode()
            clock.shift(301)
            assert signs_in(client).status_code == 302

    def test_twenty_wrong_passwords_for_as_many_names_close_the_door_to_that_address(self, client: Client, sam: User):
        for number in range(20):
            signs_in(client, f"name{number}", "wrong", REMOTE_ADDR="192.0.2.1")
        assert AuditEvent.objects.count() == 10, "the rest were not even tried"
        assert signs_in(client, REMOTE_ADDR="192.0.2.1").status_code == 200
        assert signs_in(client, REMOTE_ADDR="192.0.2.2").status_code == 302

    def test_who_goes_on_and_on_sees_a_page_that_says_so(self, client: Client):
        answers = [signs_in(client, f"name{number}", "wrong") for number in range(31)]
        assert answers[-1].status_code == 429
        assert "too many tries" in answers[-1].content.decode()

    def test_right_passwords_are_not_counted(self, client: Client, sam: User):
        for _ in range(7):
            assert signs_in(Client()).status_code == 302

    @really_committed
    def test_codes_are_counted_too(self, client: Client, sam: User):
        with time_machine.travel(NOON, tick=False) as clock:
            signs_in(client)
            secret = sets_up(client)
            client.post("/admin/logout/")
            clock.shift(30)
            signs_in(client)
            for number in range(5):
                client.post(CODE, {"code": "000000"}, REMOTE_ADDR=f"192.0.2.{number}")
            assert "Too many failed login attempts" in client.post(CODE, {"code": code(secret)}).content.decode()
            assert not is_in(client)
            assert written()[-1] == ("sign_in_failed", "sam", {"second_factor": True})


@really_committed
@pytest.mark.usefixtures("required")
class TestSecondFactor:
    @pytest.mark.parametrize(
        "page", ["/admin/", "/admin/auth/user/", "/admin/second-factor/", "/admin/password/", "/admin/nowhere/"]
    )
    def test_who_has_none_reaches_nothing_but_the_page_to_set_one_up(self, client: Client, sam: User, page: str):
        signs_in(client)
        assert client.get(page).url == SET_UP
        assert client.post(page).url == SET_UP

    def test_with_one_everything_is_open_and_the_codes_are_shown_once(self, client: Client, sam: User):
        signs_in(client)
        sets_up(client)
        assert is_in(client)
        assert len(re.findall(r"<code>\d{8}</code>", client.get("/admin/recovery-codes/").content.decode())) == 10
        assert not re.findall(r"<code>", client.get("/admin/recovery-codes/").content.decode())
        assert written() == [("signed_in", "sam", {"second_factor": False}), ("changed", "sam", {"second_factor": "set up"})]

    def test_the_password_alone_no_longer_lets_in_and_the_code_does_once(self, client: Client, sam: User):
        with time_machine.travel(NOON, tick=False) as clock:
            signs_in(client)
            secret = sets_up(client)
            clock.shift(30)
            anew, replayed = Client(), Client()
            assert signs_in(anew).url == CODE
            assert not is_in(anew)
            assert anew.post(CODE, {"code": code(secret)}).url == "/admin/"
            assert is_in(anew)
            assert written()[-1] == ("signed_in", "sam", {"second_factor": True})
            signs_in(replayed)
            assert replayed.post(CODE, {"code": code(secret)}).status_code == 200
            assert not is_in(replayed)

    def test_a_recovery_code_lets_in_once(self, client: Client, sam: User):
        signs_in(client)
        sets_up(client)
        (first, *_) = re.findall(r"<code>(\d{8})</code>", client.get("/admin/recovery-codes/").content.decode())
        for may in (True, False):
            anew = Client()
            signs_in(anew)
            anew.post(CODE, {"code": first})
            assert is_in(anew) is may

    def test_a_session_from_before_does_not_profit_from_what_its_owner_set_up(self, client: Client, sam: User):
        thief = Client()
        signs_in(thief), signs_in(client)
        sets_up(client)
        assert thief.get("/admin/auth/user/").url == "/admin/again/code/?next=%2Fadmin%2Fauth%2Fuser%2F"
        assert thief.get("/admin/second-factor/remove/").status_code == 302
        thief.post("/admin/again/", {"password": PASSWORD})
        thief.post("/admin/again/code/", {"code": "123456"})
        assert not is_in(thief)
        assert thief.get(SET_UP).url.startswith("/admin/again/code/")

    def test_who_removes_it_sets_up_another_before_anything_else(self, client: Client, sam: User):
        with time_machine.travel(NOON, tick=False) as clock:
            signs_in(client)
            sets_up(client)
            clock.shift(301)
            assert client.post("/admin/second-factor/remove/").url.startswith("/admin/again/")
            assert Authenticator.objects.exists()
            client.post("/admin/again/", {"password": PASSWORD})
            client.post("/admin/second-factor/remove/")
            assert not Authenticator.objects.exists()
            assert written()[-1] == ("changed", "sam", {"second_factor": "removed"})
            assert client.get("/admin/").url == SET_UP
            anew = Client()
            signs_in(anew)
            assert anew.get("/admin/").url == SET_UP

    def test_who_signs_in_as_another_has_not_shown_theirs(self, client: Client, sam: User):
        signs_in(client)
        sets_up(client)
        client.force_login(User.objects.create_superuser("mia"))
        assert client.get("/admin/").url == SET_UP

    def test_one_can_go_away_again_without_setting_one_up(self, client: Client, sam: User):
        signs_in(client)
        assert client.post("/admin/logout/").url == SIGN_IN
        assert written()[-1] == ("signed_out", "sam", {})

    def test_one_can_begin_anew_as_somebody_else(self, client: Client, sam: User):
        signs_in(client)
        sets_up(client)
        anew = Client()
        signs_in(anew)
        assert anew.get(SIGN_IN).url == CODE
        anew.post("/admin/logout/")
        assert anew.get(SIGN_IN).status_code == 200

    def test_where_it_is_optional_a_password_is_enough(self, client: Client, sam: User, settings: Any):
        settings.STAFF_SECOND_FACTOR = "optional"
        signs_in(client)
        assert is_in(client)
        assert "Set up a second factor" in client.get("/admin/second-factor/").content.decode()


@really_committed
class TestKept:
    def test_what_makes_the_codes_is_kept_encrypted_by_the_secret_key(self, client: Client, sam: User, settings: Any):
        signs_in(client)
        secret = sets_up(client)
        kept = Authenticator.objects.get(type="totp")
        assert secret not in str(kept.data)
        assert kept.wrap().validate_code(code(secret))
        settings.SECRET_KEY = "another"
        with pytest.raises(ImproperlyConfigured, match="another SECRET_KEY"):
            kept.wrap().validate_code(code(secret))

    def test_new_recovery_codes_replace_the_old_ones(self, client: Client, sam: User):
        signs_in(client)
        sets_up(client)
        old = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
        client.post("/admin/recovery-codes/new/")
        assert not set(old) & set(Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes())
        assert written()[-1] == ("changed", "sam", {"second_factor": "new recovery codes"})

    def test_somebody_who_lost_everything_is_helped_by_a_colleague_who_says_again_who_they_are(self, client: Client, sam: User):
        signs_in(client)
        sets_up(client)
        User.objects.create_superuser("mia", password=PASSWORD)
        mia = Client()
        signs_in(mia, "mia")
        wish = {"action": "forget_second_factors", "_selected_action": [sam.pk]}
        assert mia.post("/admin/auth/user/", wish).url.startswith("/admin/again/")
        assert Authenticator.objects.filter(user=sam).exists()
        mia.post("/admin/again/", {"password": PASSWORD})
        mia.post("/admin/auth/user/", wish)
        assert signs_in(Client()).url == "/admin/"
        assert ("changed", "mia", {"second_factor": "forgotten"}) in written()

    def test_another_gets_a_password_or_a_role_from_who_says_again_who_they_are(self, client: Client, sam: User):
        mia = User.objects.create_user("mia", password=PASSWORD, is_staff=True)
        signs_in(client)
        new = "staple battery horse"
        page, role = f"/admin/auth/user/{mia.pk}/", Group.objects.first()
        dates = {"date_joined_0": "2026-11-18", "date_joined_1": "10:00:00"}
        wishes = [
            (f"{page}password/", {"password1": new, "password2": new, "usable_password": "true"}),
            (f"{page}change/", {"username": "mia", "is_active": "on", "is_staff": "on", "is_superuser": "on", **dates}),
            (f"/admin/auth/group/{role.pk}/change/", {"name": role.name, "permissions": []}),
            ("/admin/auth/user/add/", {"username": "ben", "password1": new, "password2": new, "usable_password": "true"}),
        ]
        for url, form in wishes:
            assert client.post(url, form).url.startswith("/admin/again/")
        mia.refresh_from_db()
        assert mia.check_password(PASSWORD) and not mia.is_superuser and role.permissions.exists()
        client.post("/admin/again/", {"password": PASSWORD})
        for url, form in wishes:
            assert not client.post(url, form).url.startswith("/admin/again/")
        mia.refresh_from_db()
        assert mia.check_password(new) and mia.is_superuser and not role.permissions.exists()
        assert User.objects.filter(username="ben").exists()

    def test_somebody_who_lost_everything_is_helped_from_the_command_line(self, client: Client, sam: User):
        signs_in(client)
        sets_up(client)
        call_command("forget_second_factor", "sam")
        assert signs_in(Client()).url == "/admin/"
        assert ("changed", "manage.py", {"second_factor": "forgotten"}) in written()
        with pytest.raises(CommandError, match="no user nobody"):
            call_command("forget_second_factor", "nobody")


class TestWrittenDown:
    def test_in_and_out_are_written_down_with_the_address(self, client: Client, sam: User):
        signs_in(client, REMOTE_ADDR="192.0.2.9")
        client.post("/admin/logout/", REMOTE_ADDR="192.0.2.9")
        kept = AuditEvent.objects.order_by("pk")
        assert [(event.action, event.actor, event.address) for event in kept] == [
            ("signed_in", sam, "192.0.2.9"),
            ("signed_out", sam, "192.0.2.9"),
        ]

    def test_nothing_that_was_typed_is_kept_of_a_try_that_failed(self, client: Client, sam: User):
        signs_in(client, "SAM", "typed by mistake")
        signs_in(client, "typed by mistake", "wrong")
        kept = list(AuditEvent.objects.order_by("pk").values())
        assert [event["actor_name"] for event in kept] == ["sam", ""]
        assert "mistake" not in str(kept)


class TestSessions:
    def test_a_session_is_over_eight_hours_after_it_began_whatever_is_done(self, client: Client, sam: User):
        with time_machine.travel(NOON, tick=False) as clock:
            signs_in(client)
            for _ in range(15):
                clock.shift(1800)
                assert is_in(client)
            clock.shift(1800)
            answer = client.get("/admin/auth/user/?q=1")
            assert answer.url == f"{SIGN_IN}?next=/admin/auth/user/%3Fq%3D1"
            assert written()[-1][0] == "signed_out"

    def test_a_session_is_over_an_hour_after_its_last_request(self, client: Client, sam: User):
        with time_machine.travel(NOON, tick=False) as clock:
            signs_in(client)
            clock.shift(3599)
            assert is_in(client)
            clock.shift(3600)
            assert not is_in(client)

    def test_the_limits_are_settings(self, client: Client, sam: User, settings: Any):
        settings.STAFF_SESSION_LIMIT_S, settings.STAFF_IDLE_LIMIT_S = 1000, 500
        with time_machine.travel(NOON, tick=False) as clock:
            signs_in(client)
            for expected in (True, True, False):
                clock.shift(400)
                assert is_in(client) is expected

    def test_a_session_of_which_nobody_knows_when_it_began_is_over(self, client: Client, sam: User):
        signs_in(client)
        session = client.session
        del session["staff.began"]
        session.save()
        assert not is_in(client)

    def test_a_cookie_goes_with_the_browser_and_by_https_only(self, client: Client, sam: User):
        cookie = signs_in(client).cookies["sessionid"]
        assert (cookie["max-age"], cookie["secure"], cookie["httponly"], cookie["samesite"]) == ("", True, True, "Lax")
