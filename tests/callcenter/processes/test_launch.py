import os
import pwd
import sys
from pathlib import Path

import pytest

from callcenter.processes.children import Children

from .toys import toy

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="only root can become somebody else")

WHO = "import os; print(os.getuid(), os.geteuid(), os.getgroups(), os.environ['USER'])"
LOOKS = "import os, pathlib, sys; name = sys.argv[2]; print(os.access(name, os.R_OK), pathlib.Path(name).read_text())"
WRITES = "import os; open('mine', 'w').close(); print(os.stat('mine').st_uid == os.geteuid())"
MEDDLES = """
import os
for forbidden in (lambda: os.setuid(0), lambda: os.chown('/', 1, 1), lambda: os.kill(os.getppid(), 0)):
    try:
        forbidden()
        print('could')
    except PermissionError:
        print('could not')
"""


@pytest.fixture
def closed_folder(tmp_path: Path) -> Path:
    """Like a clone below /root: nobody but root may even pass."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    return folder


def said(code: str, folder: Path, name: str = "program") -> list[str]:
    with Children(folder / "log") as children:
        return list(children.run(toy(name, code, has_an_end=True, user="nobody", folder=folder)).last_lines)


def test_a_program_that_refuses_root_runs_as_nobody(closed_folder: Path) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    assert said(WHO, closed_folder) == [f"{nobody} {nobody} [] nobody"]


def test_it_finds_its_files_in_a_folder_that_is_closed_to_others(closed_folder: Path) -> None:
    (closed_folder / "letter").write_text("Dear Ada")
    (closed_folder / "letter").chmod(0o600)
    assert said(LOOKS, closed_folder, name="letter") == ["True Dear Ada"]
    assert closed_folder.stat().st_mode & 0o777 == 0o700


def test_what_it_writes_there_is_its_own(closed_folder: Path) -> None:
    assert said(WRITES, closed_folder) == ["True"]


def test_nothing_else_of_root_is_left_to_it(closed_folder: Path) -> None:
    assert said(MEDDLES, closed_folder) == ["could not"] * 3
