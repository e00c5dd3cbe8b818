import pytest

import specthread.protocol.lsp.connection  # noqa: F401  Python 3.11 cannot parse in two threads at once, which pytest does for what it imports
from support.fake_engine import FakeEngine, serving


@pytest.fixture
async def engine(tmp_path):
    """Yields an engine whose documents wait for review, on its desk."""
    engine = FakeEngine(tmp_path)
    await engine.create(repository=str(tmp_path))
    await engine.plan()
    engine.place()
    return engine


@pytest.fixture
async def path(engine, tmp_path):
    async with serving(engine, tmp_path) as path:
        yield path
