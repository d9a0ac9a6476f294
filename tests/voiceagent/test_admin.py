import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from staff.models import AuditEvent
from staff.roles import MANAGERS, SUPPORT_STAFF, make_roles
from voiceagent.models import AgentSettings, AgentSwitch, BlockedNumber, TransferDestination

LIST = reverse("admin:voiceagent_agentsettings_changelist")
ADD = reverse("admin:voiceagent_agentsettings_add")


def page_of(version: AgentSettings) -> str:
    return reverse("admin:voiceagent_agentsettings_change", args=[version.pk])


def somebody(name: str, group: str) -> Client:
    make_roles()
    user = User.objects.create_user(name, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def mia(db: None) -> Client:
    return somebody("mia", MANAGERS)


@pytest.fixture
def sam(db: None) -> Client:
    return somebody("sam", SUPPORT_STAFF)


def form_of(client: Client, page: str) -> dict[str, object]:
    """What a browser would send back of a form it was shown."""
    form = client.get(page).context["adminform"].form
    values = {name: form.initial.get(name, field.initial) for name, field in form.fields.items()}
    return {name: value() if callable(value) else value for name, value in values.items() if value is not None}


def test_a_new_version_begins_as_the_one_in_use(mia):
    AgentSettings.objects.create(voice="cedar", greeting="Ahoy.")
    form = form_of(mia, ADD)
    assert (form["voice"], form["greeting"]) == ("cedar", "Ahoy.")


def test_the_first_version_begins_as_the_standard_one(mia):
    assert form_of(mia, ADD)["voice"] == "marin"
    mia.post(ADD, {**form_of(mia, ADD), "reason": "First."})
    assert AgentSettings.current().created_by.username == "mia"


def test_saving_a_version_makes_the_next_and_leaves_the_old_as_it_was(mia):
    first = AgentSettings.objects.create(greeting="Hello.")
    response = mia.post(page_of(first), {**form_of(mia, page_of(first)), "greeting": "Good day.", "reason": "Kinder."})
    assert response.status_code == 302, response.context["errors"]
    assert AgentSettings.objects.get(pk=first.pk).greeting == "Hello."
    newest = AgentSettings.current()
    assert (newest.greeting, newest.reason, newest.created_by.username) == ("Good day.", "Kinder.", "mia")


def test_an_old_version_is_brought_back_by_saving_it(mia):
    first = AgentSettings.objects.create(voice="cedar")
    AgentSettings.objects.create(voice="marin")
    mia.post(page_of(first), form_of(mia, page_of(first)))
    assert (AgentSettings.objects.count(), AgentSettings.current().voice) == (3, "cedar")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("speed", 9),
        ("vad_threshold", -1),
        ("vad_silence_ms", 5),
        ("language", "English"),
        ("language", "xx"),
        ("other_languages", "de, Klingon"),
        ("silence_s", 0),
        ("longest_call_s", 99999),
    ],
)
def test_a_value_that_cannot_be_is_refused_beside_its_field(mia, field, value):
    response = mia.post(ADD, {**form_of(mia, ADD), field: value})
    assert field in response.context["adminform"].form.errors
    assert not AgentSettings.objects.exists()


def test_the_list_says_which_version_is_in_use(mia):
    for voice in ("marin", "cedar"):
        AgentSettings.objects.create(voice=voice)
    rows = mia.get(LIST).context["cl"].result_list
    assert [row.is_newest for row in rows] == [True, False]


def test_each_line_has_a_version_in_use(mia):
    for line in ("", "+14155550100", "", "+14155550100"):
        AgentSettings.objects.create(line_number=line)
    rows = mia.get(LIST).context["cl"].result_list
    assert [(row.line_number, row.is_newest) for row in rows] == [
        ("+14155550100", True),
        ("", True),
        ("+14155550100", False),
        ("", False),
    ]


def test_languages_are_chosen_by_name_and_others_are_written_as_codes(mia):
    response = mia.post(ADD, {**form_of(mia, ADD), "language": "de", "other_languages": "en, fr"})
    assert response.status_code == 302, response.context["errors"]
    assert AgentSettings.current().languages == ["de", "en", "fr"]
    assert "German" in mia.get(ADD).content.decode()


def test_no_version_can_be_deleted(mia):
    version = AgentSettings.objects.create()
    assert mia.post(reverse("admin:voiceagent_agentsettings_delete", args=[version.pk])).status_code == 403


def test_support_staff_have_nothing_to_do_with_settings(sam):
    version = AgentSettings.objects.create()
    for page in (LIST, ADD, page_of(version), reverse("admin:voiceagent_transferdestination_changelist")):
        assert sam.get(page).status_code == 403


def test_a_department_has_a_number_that_can_be_dialled(mia):
    page = reverse("admin:voiceagent_transferdestination_add")
    for number in ("555 0199", "+1٤١٥٥٥٥٠١٢٣", "tel:+1415555", "sip:a@shop.de"):
        wrong = mia.post(page, {"department": "returns", "description": "Returns", "phone": number})
        assert "international form" in str(wrong.context["adminform"].form.errors)
    mia.post(page, {"department": "returns", "description": "Returns", "phone": "+14155550188"})
    assert TransferDestination.reached_at("returns", open_now=True) == "+14155550188"


def test_a_department_in_another_country_is_asked_about_and_one_that_costs_more_is_refused(mia):
    page = reverse("admin:voiceagent_transferdestination_add")
    london = {"department": "london", "description": "London", "phone": "+442079460123"}
    asked = mia.post(page, london)
    assert "another country. If it is meant, say so below." in str(asked.context["adminform"].form.errors)
    assert mia.post(page, {**london, "abroad": "on"}).status_code == 302
    refused = mia.post(page, {"department": "prizes", "description": "Prizes", "phone": "+19005551234", "abroad": "on"})
    assert "are never rung" in str(refused.context["adminform"].form.errors)
    assert [one.department for one in TransferDestination.objects.all()] == ["london"]


@pytest.mark.django_db
@pytest.mark.parametrize("always", [False, True])
@pytest.mark.parametrize("open_now", [False, True])
def test_who_is_rung_depends_on_the_hours_and_on_who_is_there_at_any_time(settings, open_now, always):
    settings.HUMAN_AGENT_HOURS = "always" if always else "opening_hours"
    TransferDestination.objects.create(department="returns", description="Returns", phone="+14155550188")
    TransferDestination.objects.create(department="alarms", description="Alarms", phone="+14155550177", any_time=True)
    person = "+14155550199" if open_now or always else ""
    rung = {name: TransferDestination.reached_at(name, open_now=open_now) for name in ("returns", "alarms", "gone", "")}
    assert rung == {"returns": "+14155550188" if open_now else person, "alarms": "+14155550177", "gone": person, "": person}


def test_a_manager_switches_the_agent_off_and_every_page_says_so(mia):
    page = reverse("admin:voiceagent_agentswitch_add")
    assert b"The agent is off" not in mia.get(LIST).content
    assert mia.post(page, {"reason": "It talks nonsense"}).status_code == 302
    switch = AgentSwitch.off()
    assert switch and (switch.by, switch.reason) == ("mia", "It talks nonsense")
    assert b"The agent is off" in mia.get(LIST).content
    # Whoever opens the form now wants it on again.
    assert mia.get(page).context["adminform"].form.initial["on"] is True
    mia.post(page, {"on": "on", "reason": "It does no more"})
    assert AgentSwitch.off() is None
    assert b"The agent is off" not in mia.get(LIST).content
    events = AuditEvent.objects.filter(action="switched").order_by("pk")
    assert [(event.actor_name, event.facts["agent"]) for event in events] == [("mia", "off"), ("mia", "on")]


def test_what_was_switched_stays_written_down(mia):
    switch = AgentSwitch.turn(on=False, reason="It talks nonsense")
    for page in ("change", "delete"):
        assert mia.post(reverse(f"admin:voiceagent_agentswitch_{page}", args=[switch.pk]), {"on": "on"}).status_code == 403
    assert AgentSwitch.off() == switch


@pytest.mark.parametrize("model", ["agentswitch", "blockednumber"])
def test_support_staff_neither_switch_the_agent_nor_block_callers(sam, model):
    for page in (reverse(f"admin:voiceagent_{model}_changelist"), reverse(f"admin:voiceagent_{model}_add")):
        assert sam.get(page).status_code == 403
        assert sam.post(page, {"number": "+14155550177", "reason": "x"}).status_code == 403


def test_a_manager_blocks_a_caller(mia):
    page = reverse("admin:voiceagent_blockednumber_add")
    assert "Begin with +" in str(mia.post(page, {"number": "0155", "reason": "Rings all night"}).context["adminform"].form.errors)
    assert mia.post(page, {"number": "+14155550177", "whole": "on", "reason": "Rings all night"}).status_code == 302
    assert BlockedNumber.objects.against("+14155550177", timezone.now()).exists()
    assert "+14155550177" in mia.get(reverse("admin:voiceagent_blockednumber_changelist")).content.decode()
