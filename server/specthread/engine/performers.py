"""Who carries out which effect, and who takes back what an effect left behind."""

from __future__ import annotations

from functools import partial

from specthread.domain.react import (
    Effect,
    ForeseeConflicts,
    KeepPullRequest,
    MergeSessions,
    MergeTarget,
    PublishFinal,
    PutAway,
    RunPlanner,
    RunReview,
    RunSession,
    VerifyClaim,
    WriteSpecs,
)
from specthread.engine.archiving import put_away
from specthread.engine.effects import GiveBack, Perform
from specthread.engine.foresight import foresee_conflicts
from specthread.engine.merging import merge_sessions, publish_final
from specthread.engine.planning import run_planner
from specthread.engine.ports import Ports
from specthread.engine.pull_request import PullRequests
from specthread.engine.pull_request_watch import keep_pull_request
from specthread.engine.records import write_specs
from specthread.engine.reviewing import run_review
from specthread.engine.session import run_session
from specthread.engine.setup import give_back_place
from specthread.engine.target import merge_target
from specthread.engine.verification import verify_claim


def performers(ports: Ports, pull_requests: PullRequests) -> dict[type[Effect], Perform]:
    """Returns what carries out each effect that stands on the ports alone."""
    return {
        WriteSpecs: partial(write_specs, ports),
        RunPlanner: partial(run_planner, ports),
        RunSession: partial(run_session, ports),
        RunReview: partial(run_review, ports),
        VerifyClaim: partial(verify_claim, ports),
        MergeSessions: partial(merge_sessions, ports),
        MergeTarget: partial(merge_target, ports),
        ForeseeConflicts: partial(foresee_conflicts, ports),
        PublishFinal: partial(publish_final, ports),
        PutAway: partial(put_away, ports),
        KeepPullRequest: partial(keep_pull_request, pull_requests),
    }


def give_back(ports: Ports) -> dict[type[Effect], GiveBack]:
    """Returns what takes back what an effect left on the disk."""
    return {RunSession: partial(give_back_place, ports)}
