"""What is looked at before the first call: every recording in `templates/clips/` can be played, and belongs to a line.

`manage.py check --tag clips` looks at nothing else.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.template import TemplateDoesNotExist

from .clips import BadRecording, clips_folder, read_recording
from .languages import LANGUAGES
from .words import spoken


@register("clips")
def recordings_can_be_played(app_configs: Sequence[Any] | None = None, **kwargs: Any) -> list[CheckMessage]:
    folder = clips_folder()
    problems = {path.relative_to(folder): _problem(path.parent.name, path) for path in sorted(folder.rglob("*.wav"))}
    return [
        Error(f"templates/clips/{path.as_posix()}: {problem}.", id="voiceagent.clips")
        for path, problem in problems.items()
        if problem
    ]


def _problem(language: str, path: Path) -> str:
    if language not in LANGUAGES:
        return f"recordings belong in a folder of their language, one of {', '.join(LANGUAGES)}"
    try:
        spoken(f"agent/{path.stem}", language=language)
        read_recording(path)
    except TemplateDoesNotExist:
        return f"there is no line templates/spoken/agent/{path.stem}.txt whose words it could say"
    except BadRecording as error:
        return str(error)
    return ""
