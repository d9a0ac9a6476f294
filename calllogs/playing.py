"""Plays a recording to a browser: any part of it, at once, without a trace of its name. Knows nothing of permissions."""

import re
import sys
from pathlib import Path

from django.http import HttpRequest, HttpResponse

# One answer holds at most this; a browser asks for the rest when it needs it.
MOST_BYTES = 1 << 20
MOST_DIGITS = 19
RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def play(request: HttpRequest, file: Path) -> HttpResponse:
    """The whole file, or the part that the Range header asks for (RFC 9110, one range). Kept by no cache."""
    try:
        size = file.stat().st_size
    except FileNotFoundError:
        return HttpResponse("The recording is not on this machine.", status=404, content_type="text/plain")
    wanted = RANGE.fullmatch(request.headers.get("Range", ""))
    if wanted is None or not any(wanted.groups()):
        response = HttpResponse(file.read_bytes(), content_type="audio/wav")
    else:
        response = part(file, size, *wanted.groups())
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "no-store, private"
    response["Content-Disposition"] = 'inline; filename="recording.wav"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def number(digits: str) -> int:
    """Past the end of any file when there are too many digits: Python refuses to read thousands."""
    return int(digits) if len(digits) < MOST_DIGITS else sys.maxsize


def part(file: Path, size: int, first: str, last: str) -> HttpResponse:
    start = number(first) if first else max(0, size - number(last))
    end = min(number(last) if first and last else size - 1, size - 1, start + MOST_BYTES - 1)
    if start > end:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    with file.open("rb") as audio:
        audio.seek(start)
        content = audio.read(end - start + 1)
    return HttpResponse(content, status=206, content_type="audio/wav", headers={"Content-Range": f"bytes {start}-{end}/{size}"})
