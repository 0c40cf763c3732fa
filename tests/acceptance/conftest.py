"""A stage for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path) as made:
        yield made
