from collections.abc import Iterator
from pathlib import Path

import pytest

from callcenter.processes.children import Children

from .house import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with Children(tmp_path) as children:
        house = House(children)
        with house.door:
            yield house
