from collections.abc import Iterator

import pytest

from tests.gateway.notify.stub import Provider


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider().running() as running:
        yield running
