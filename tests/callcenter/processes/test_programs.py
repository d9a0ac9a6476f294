import os
import signal
from pathlib import Path

import pytest
import yaml

from callcenter.celery import app
from callcenter.processes.children import Program
from callcenter.processes.programs import ROOT, Plan, behind, demo, demo_environment, reachable, run
from callcenter.settings import Environment

DATA = Path("/var/lib/callcenter")
DOOR = 5


@pytest.fixture
def practice(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    environment = demo_environment({})
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return environment


def names(plan: Plan) -> list[list[str]]:
    return [[program.name for program in stage] for stage in plan.stages]


def commands(plan: Plan) -> dict[str, str]:
    return {program.name: " ".join(program.command[1:]) for stage in plan.stages for program in stage}


def test_real_calls_have_two_web_processes_three_workers_and_a_clock() -> None:
    plan = run(Environment(), DATA, DOOR)
    assert names(plan) == [["migrate"], ["web1", "web2", "worker", "fetch", "speech", "beat"]]
    assert plan.front is None
    assert "https://calls.example.com/incoming-call" in plan.welcome


def test_threads_share_their_memory_in_every_process_of_ours_here_and_in_the_image() -> None:
    ours = run(Environment(), DATA, DOOR).stages[1]
    assert {program.environment["MALLOC_ARENA_MAX"] for program in ours} == {"2"}
    assert "MALLOC_ARENA_MAX=2" in (ROOT / "Dockerfile").read_text()


def test_the_demo_adds_a_seeded_shop_a_voice_and_a_call(practice: dict[str, str]) -> None:
    plan = demo(Environment(), DATA, DOOR, once=True)
    assert names(plan) == [["migrate", "seed"], ["web1", "web2", "worker", "fetch", "speech", "beat"]]
    assert [program.name for program in plan.slow] == ["voice_model"]
    assert plan.front is not None
    assert plan.front.command[1:] == ("-m", "simulator", "demo", "--once")


def test_the_demo_stays_unless_it_is_for_once(practice: dict[str, str]) -> None:
    front = demo(Environment(), DATA, DOOR, once=False).front
    assert front is not None
    assert "--once" not in front.command


def test_the_voice_listens_where_the_engine_is_looked_for(practice: dict[str, str]) -> None:
    (voice,) = demo(Environment(), DATA, DOOR, once=True).slow
    assert practice["OPENAI_REALTIME_URL"] == f"ws://127.0.0.1:{voice.command[-1]}/v1/realtime"


def test_what_takes_long_has_a_worker_of_its_own() -> None:
    told = commands(run(Environment(), DATA, DOOR))
    assert "--queues default" in told["worker"]
    assert "--queues fetch" in told["fetch"]
    assert "--queues speech" in told["speech"]
    assert "--concurrency 1" in told["speech"]


def test_every_task_has_a_worker_that_takes_it() -> None:
    taken = {
        command.split("--queues ")[1].split()[0]
        for command in commands(run(Environment(), DATA, DOOR)).values()
        if "--queues" in command
    }
    sent = {app.amqp.router.route({}, name)["queue"].name for name in app.tasks}
    assert sent == taken


def test_no_process_ends_the_others_by_its_own_end() -> None:
    (_, stage) = run(Environment(), DATA, DOOR).stages
    assert [program.name for program in stage if program.is_behind] == ["worker", "fetch", "speech", "beat"]
    assert all(program.comes_back or program.is_behind for program in stage)


def test_containers_run_the_same_workers() -> None:
    composed = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for program in behind(DATA):
        assert composed[program.name]["restart"] == "unless-stopped"
        here, there = list(program.command), composed[program.name]["command"]
        if program.name != "beat":
            assert "healthcheck" in composed[program.name]
            assert [after(option, here) for option in ("--queues", "--concurrency")] == [
                after(option, there) for option in ("--queues", "--concurrency")
            ]


def after(option: str, command: list[str]) -> str:
    return command[command.index(option) + 1]


def test_there_are_as_many_web_processes_as_the_settings_say_behind_one_door() -> None:
    (_, stage) = run(Environment(WEB_PROCESSES=3), DATA, DOOR).stages
    webs = [program for program in stage if program.comes_back]
    assert [program.name for program in webs] == ["web1", "web2", "web3"]
    assert all(program.command[1:] == ("-m", "callcenter.server", "--fd", "5") for program in webs)
    assert all(program.inherits == (DOOR,) for program in webs)


def test_who_stops_everything_does_not_wait_for_calls_and_who_renews_does() -> None:
    (_, stage) = run(Environment(DRAIN_LIMIT_S=90), DATA, DOOR).stages
    assert stage[0].stop_signal == signal.SIGINT
    assert stage[0].finishes_within_s > 90 + 20


def test_only_the_migration_and_the_seed_come_to_an_end(practice: dict[str, str]) -> None:
    programs: list[Program] = [program for stage in demo(Environment(), DATA, DOOR, once=True).stages for program in stage]
    assert [program.name for program in programs if program.has_an_end] == ["migrate", "seed"]


def test_the_demo_reaches_nobody_outside_whatever_is_set() -> None:
    keys = {"TWILIO_AUTH_TOKEN": "real", "OPENAI_API_KEY": "real", "HUMAN_AGENT_PHONE": "real", "PUBLIC_BASE_URL": "https://real"}
    practice = demo_environment(keys | {"TWILIO_SIGNED_WITH": "signing_key", "TWILIO_ASKED_WITH": "api_key"})
    assert practice["TWILIO_SIGNED_WITH"] == practice["TWILIO_ASKED_WITH"] == "auth_token"
    assert not set(practice.values()) & {"real", "https://real"}
    assert all("//127.0.0.1:" in url for name, url in practice.items() if name.endswith("_URL"))
    assert practice["TRANSCRIBER"] == "local"


def test_the_demo_has_settings_that_can_be(practice: dict[str, str]) -> None:
    settings = Environment()
    assert settings.TWILIO_API_URL.endswith(f":{practice['SIMULATOR_TELEPHONE_PORT']}")
    assert demo_environment(os.environ)["TWILIO_ACCOUNT_SID"] != settings.TWILIO_ACCOUNT_SID, "each demo has its own account"


def test_the_port_of_the_demo_may_be_chosen() -> None:
    practice = demo_environment({"PORT": "8001"})
    assert (practice["PORT"], practice["PUBLIC_BASE_URL"]) == ("8001", "http://127.0.0.1:8001")


@pytest.mark.parametrize(
    ("bound", "reached"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]")],  # noqa: S104
)
def test_a_server_bound_to_every_address_is_reached_on_loopback(bound: str, reached: str) -> None:
    assert reachable(bound) == reached
