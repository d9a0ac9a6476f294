"""Makes `.venv` from the locks. Run as a script by the system's Python, before anything is installed: standard library only.

A second run notices that nothing has changed and ends at once. Whatever goes wrong ends in a sentence that says what to do.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
STAMP = ENVIRONMENT / "installed.json"
LOCK = ROOT / "requirements.lock"
UV_LOCK = ROOT / "bootstrap.lock"

# What pip says, and what that means for the person who reads it. The first that fits is told.
COMPLAINTS = (
    (
        r"No space left",
        "The disk is full: the environment needs about 1.5 GB.",
    ),
    (
        r"Read-only file system|Permission denied",
        f"{ROOT} cannot be written to. Clone the repository into a folder that belongs to you.",
    ),
    (
        r"Temporary failure in name resolution|Name or service not known|ConnectionError|NewConnectionError|Connection refused"
        r"|Connection to \S+ timed out|Read timed out|ConnectTimeout|ProxyError|SSLError|CERTIFICATE_VERIFY_FAILED|Max retries",
        "The package registry cannot be reached. Check the network; behind a proxy or a mirror, pip has to know it "
        "(HTTPS_PROXY, PIP_INDEX_URL or pip.conf), then start again.",
    ),
    (
        r"DO NOT MATCH THE HASHES",
        "A package differs from the one that was locked. Do not install it; try again, or another mirror.",
    ),
    (
        r"command '[^']*(gcc|cc|clang|c\+\+|g\+\+)[^']*' failed|No such file or directory: '[^']*(gcc|cc|clang)'"
        r"|Failed building wheel|Unable to find a compiler|No matching distribution|Could not find a version",
        "A package is not ready-made for this machine and Python, and could not be built here. Python 3.11 to 3.13 on Linux "
        "(x86-64, ARM) or macOS needs no compiler; elsewhere install one (on Debian: apt install build-essential python3-dev).",
    ),
)


def main() -> None:
    wanted = {"locks": _digest(UV_LOCK, LOCK), "python": sys.version, "folder": str(ROOT)}
    there = _installed()
    if there == wanted:
        return
    _refuse_read_only_folder()
    if {**there, "locks": ""} != {**wanted, "locks": ""}:
        _create_environment()
    print("Fetching the packages this needs: about 500 MB, once.", flush=True)
    if not _install_with_uv():
        _install_with_pip()
    STAMP.write_text(json.dumps(wanted))


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _installed() -> dict[str, str]:
    """What the environment was made of; empty if there is none, or only part of one."""
    try:
        return dict(json.loads(STAMP.read_text())) if PYTHON.exists() else {}
    except (OSError, ValueError):
        return {}


def _refuse_read_only_folder() -> None:
    probe = ROOT / ".writable"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        sys.exit(f"{ROOT} cannot be written to ({error.strerror}). Clone the repository into a folder that belongs to you.")


def _create_environment() -> None:
    print(f"Creating {ENVIRONMENT.relative_to(ROOT)} with Python {sys.version.split()[0]}.", flush=True)
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], capture_output=True, text=True, check=False)
    if made.returncode:
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        sys.exit(
            f"This Python cannot make environments: its venv module is not complete. On Debian and Ubuntu: "
            f"apt install python{version}-venv, then start again. It said:\n{(made.stderr or made.stdout).strip()}"
        )


def _install_with_uv() -> bool:
    """uv is many times faster than pip and shows its progress. Where it fails, pip tries, which knows more kinds of set-up."""
    if not _pip("--quiet", "--only-binary=:all:", "-r", str(UV_LOCK), must_succeed=False):
        return False
    # Compiled once, as pip does, and not by each process anew where Python is told to write no bytecode.
    options = ("--require-hashes", "--no-build", "--compile-bytecode")
    command = [str(PYTHON), "-m", "uv", "pip", "sync", *options, "--python", str(PYTHON), str(LOCK)]
    environment = os.environ | _what_pip_is_told()
    return subprocess.run(command, env=environment, check=False).returncode == 0


def _what_pip_is_told() -> dict[str, str]:
    """The registry and certificates of pip's own configuration, which uv does not read."""
    listed = subprocess.run([str(PYTHON), "-m", "pip", "config", "list"], capture_output=True, text=True, check=False).stdout
    told = {}
    for setting, names in {"index-url": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"), "cert": ("SSL_CERT_FILE",)}.items():
        found = re.findall(rf"^(?:global|install|:env:)\.{setting}='(.*)'$", listed, re.MULTILINE)
        if found and not any(name in os.environ for name in names):
            told[names[0]] = found[-1]
    return told


def _install_with_pip() -> None:
    print("uv could not do it; trying with pip, which takes longer.", flush=True)
    _pip("--progress-bar=on", "-r", str(LOCK), must_succeed=True)


def _pip(*options: str, must_succeed: bool) -> bool:
    """Runs pip and shows what it says; what it complains of is told in a sentence, and ends us if it has to succeed."""
    command = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--disable-pip-version-check", *options]
    said = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as pip:
        for line in pip.stdout or ():
            said.append(line)
            if must_succeed:
                print(line, end="", flush=True)
    if pip.returncode and must_succeed:
        sys.exit(f"\n{explain(''.join(said))}")
    return pip.returncode == 0


def explain(said: str) -> str:
    for pattern, sentence in COMPLAINTS:
        if re.search(pattern, said):
            return sentence
    return "The packages could not be installed; pip says why above."


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. Start again to go on.")
