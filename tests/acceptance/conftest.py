"""A stage for each test, and a place for alerts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.stage import Stage
from tests.acceptance.wires import Webhook


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path) as made:
        yield made


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as made:
        yield made
