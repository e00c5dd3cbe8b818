"""Progress as clients get it: one conversion for lists, pages, the daemon's status and an editor's bar."""

from __future__ import annotations

from specthread.plan.progress import Phase
from specthread.protocol.convert_forecast import range_view
from specthread.protocol.wire_progress import ActivityView, EtaView, PhaseView, ProgressView
from specthread.views.figures import Activity, Figures


def progress_view(made: Figures) -> ProgressView:
    """Returns the figures for clients."""
    eta = made.remaining
    return ProgressView(
        percent=made.percent,
        eta=EtaView(seconds=range_view(eta.seconds), basis=eta.basis, until=eta.until) if eta else None,
        left=made.left,
        waits=made.waits,
        phases=_phase_views(made.phases),
        activities=[_activity_view(each) for each in made.activities],
    )


def _phase_views(phases: tuple[Phase, ...]) -> list[PhaseView]:
    return [
        PhaseView(
            name=phase.name,
            title=phase.title,
            percent=phase.percent,
            done=phase.done,
            total=phase.total,
            phases=_phase_views(phase.phases),
        )
        for phase in phases
    ]


def _activity_view(activity: Activity) -> ActivityView:
    return ActivityView(
        run=activity.run,
        task=activity.task,
        role=activity.role,
        status=activity.status,
        turn=activity.turn,
        seconds=activity.seconds,
        text=activity.text,
    )
