"""What README and CONTRIBUTING promise."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from django.urls import resolve

from callcenter.settings import BASE_DIR, Environment
from voiceagent.toolbox import Caller, Tool, Toolbox

README = (BASE_DIR / "README.md").read_text()
CONTRIBUTING = (BASE_DIR / "CONTRIBUTING.md").read_text()
MAKEFILE = (BASE_DIR / "Makefile").read_text()


def shown(default: object) -> str:
    if default in ("", None):
        return "–"
    text = json.dumps(default) if isinstance(default, bool | list) else str(default).removeprefix(f"{BASE_DIR}/")
    return f"`{text}`"


def test_the_settings_table_is_the_list_of_settings():
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", README, re.MULTILINE)
    assert rows == [(name, shown(field.default), field.description) for name, field in Environment.model_fields.items()]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"make (demo|run|test)\b", README + CONTRIBUTING))))
def test_the_commands_exist(target):
    assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize("command", sorted(set(re.findall(r"manage\.py (\w+)", README))))
def test_the_management_commands_exist(command):
    from django.core.management import get_commands

    assert command in get_commands()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"https://…(/[\w-]+/?)", README))))
def test_the_addresses_to_enter_at_twilio_exist(path):
    resolve(path)


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_the_files_and_folders_that_are_named_exist(document):
    text = (BASE_DIR / document).read_text()
    named = set(re.findall(r"`((?:callcenter|voiceagent|orders|calllogs|templates|tests|simulator)/[\w/.]*)`", text))
    named |= set(re.findall(r"\]\(([^)#:]+)\)", text))
    assert named
    for path in named:
        assert (BASE_DIR / path).exists(), f"{document} names {path}"


def test_the_recipe_for_a_tool_makes_a_tool(db):
    (code,) = re.findall(r"```python\n(.*?)```", CONTRIBUTING, re.DOTALL)
    made: dict[str, object] = {}
    exec(code, made)  # noqa: S102  our own document
    (tool,) = [one for one in made.values() if isinstance(one, Tool)]
    ben = Caller("CA1", "+14155550177")
    assert Toolbox([tool]).use(ben, "1", tool.name, '{"number": "4 2"}').status == "failed"
    assert Toolbox([tool]).use(ben, "2", tool.name, json.dumps({"number": "1" * 16})).status == "done"


def test_no_address_of_a_registry_and_no_path_of_a_machine_is_kept():
    listed = subprocess.run(["git", "ls-files"], cwd=BASE_DIR, capture_output=True, text=True, check=True).stdout.split("\n")
    text = {".py", ".md", ".toml", ".lock", ".yml", ".txt", ".html", ".css", ".js", ""}
    for name in listed:
        path = BASE_DIR / name
        if name and path.is_file() and Path(name).suffix in text:
            assert not re.search(r"://[^/ ]*(?:pypi|registry)", path.read_text()), name
