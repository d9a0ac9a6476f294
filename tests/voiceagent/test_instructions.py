import json

import pytest

from orders.tools import TOOLS as SHOP_TOOLS
from voiceagent import instructions
from voiceagent.models import AgentSettings, TransferDestination
from voiceagent.toolbox import Caller
from voiceagent.tools import TOOLS as OWN_TOOLS
from voiceagent.tools import end_call, transfer_to_human
from voiceagent.words import spoken

ADA = Caller("CA1", "+14155550142")


@pytest.mark.django_db
class TestWhatTheAgentIsTold:
    def test_its_standing_orders_the_managers_words_and_the_briefing(self):
        chosen = AgentSettings(instructions="We have a sale on hats.", language="de", voice="cedar")
        config = instructions.engine_config(chosen, (*SHOP_TOOLS, *OWN_TOOLS), "It is Wednesday.")
        assert config.instructions.startswith("You are the telephone agent of Northwind Outfitters.")
        assert "Speak de " in config.instructions and "We have a sale on hats." in config.instructions
        assert config.instructions.endswith("It is Wednesday.")
        assert (config.language, config.voice) == ("de", "cedar")

    def test_every_tool_it_may_use_with_a_description_a_model_can_read(self):
        config = instructions.engine_config(AgentSettings(), (*SHOP_TOOLS, *OWN_TOOLS), "")
        names = {tool.name for tool in config.tools}
        assert names >= {
            "lookup_order",
            "cancel_order",
            "book_appointment",
            "opening_hours",
            "search_help",
            "transfer_to_human",
            "end_call",
        }
        for tool in config.tools:
            assert len(tool.description) > 20
            assert tool.parameters["additionalProperties"] is False
            json.dumps(tool.parameters)

    def test_departments_by_name_and_never_by_number(self):
        TransferDestination.objects.create(department="returns", description="Returns & refunds", phone="+14155550188")
        config = instructions.engine_config(AgentSettings(), (), "")
        assert "returns (Returns & refunds)" in config.instructions
        assert "4155550" not in config.instructions

    def test_the_model_is_a_setting_that_managers_may_overrule(self, settings):
        settings.OPENAI_REALTIME_MODEL = "a-model"
        assert instructions.engine_config(AgentSettings(), (), "").model == "a-model"
        assert instructions.engine_config(AgentSettings(model="another"), (), "").model == "another"


def test_what_managers_set_governs_the_call():
    policy = instructions.policy(AgentSettings(greeting="Ahoy.", silence_s=4.0, nudges=1, longest_call_s=120))
    assert (policy.greeting, policy.silence_s, policy.nudges, policy.longest_call_s) == ("Ahoy.", 4.0, 1, 120)
    assert instructions.policy(AgentSettings()).greeting == "Hello, this is Northwind Outfitters. How can I help you?"


@pytest.mark.django_db
class TestTheAgentsOwnTools:
    def test_a_transfer_keeps_its_reason_and_a_department_that_exists(self):
        TransferDestination.objects.create(department="returns", description="Returns", phone="+14155550188")
        act = transfer_to_human.function(ADA, " Wants a refund. ", "returns")
        assert (act.reason, act.department) == ("Wants a refund.", "returns")

    @pytest.mark.parametrize("department", ["", "sales", "+14155550188", "RETURNS'; --", "re\x00turns"])
    def test_a_department_nobody_made_is_the_default_one(self, department):
        assert transfer_to_human.function(ADA, "x", department).department == ""

    def test_a_reason_is_never_empty_and_never_endless(self):
        assert transfer_to_human.function(ADA, "  ").reason == "not given"
        assert len(transfer_to_human.function(ADA, "x" * 900).reason) == 200

    def test_the_call_is_ended_with_its_purpose_served(self):
        assert end_call.function(ADA).reason == "agent_hung_up"


LINES = [
    "notice",
    "greeting",
    "nudge",
    "no_input_goodbye",
    "too_long_goodbye",
    "transfer_line",
    "before_dial",
    "after_failure",
    "leave_message",
    "message_taken",
    "goodbye",
    "call_over",
]


@pytest.mark.parametrize("line", LINES)
def test_every_line_is_one_a_voice_can_say(line):
    words = spoken(f"agent/{line}")
    assert words and words == " ".join(words.split())
    assert not set(words) & set("{}<>&*_#/|")


def test_the_notice_says_that_it_is_a_machine_and_that_it_records():
    assert "automated" in spoken("agent/notice") and "recorded" in spoken("agent/notice")
