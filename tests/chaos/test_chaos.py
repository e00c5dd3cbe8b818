"""Work goes on through faults of every kind, and in the end nothing is lost and nothing was done twice. `make soak` does the same for half an hour."""

import pytest

from chaos.__main__ import told
from chaos.run import play
from specthread.agents.sandbox import probe

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not probe().available, reason=probe().reason)]

SEED = 1
SECONDS = 120.0
"""With the rest and the audit, about three minutes."""


async def test_nothing_is_lost_and_nothing_done_twice_whatever_comes(tmp_path):
    outcome = await play(tmp_path / "stage", seed=SEED, seconds=SECONDS)
    assert not outcome.problems, told(outcome, SECONDS, tmp_path)
    assert outcome.faults.total() > 0
