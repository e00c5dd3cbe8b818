"""The table of requests: which function carries out which method.

A handler reads the visible state, or submits a command and answers when it is durable. It does not wait for agents, git or people: what
takes long is an effect of the engine, and its results come as events.
"""

from __future__ import annotations

from specthread.protocol import caching, changing, landing, locking, noting, pull_request, reading, rebuilding, tracing, versions
from specthread.protocol.request import Handler

HANDLERS: dict[str, Handler] = {
    "specthread/new": changing.new,
    "specthread/list": reading.list_spectasks,
    "specthread/show": reading.show,
    "specthread/watch": reading.watch,
    "specthread/report": reading.report,
    "specthread/trace": tracing.trace,
    "specthread/cost": reading.cost,
    "specthread/history": reading.history,
    "specthread/transcript": reading.transcript,
    "specthread/review": reading.review,
    "specthread/comment": changing.comment,
    "specthread/resolve": changing.resolve,
    "specthread/approve": changing.approve,
    "specthread/request-changes": changing.request_changes,
    "specthread/run": changing.run,
    "specthread/sessions": reading.sessions,
    "specthread/say": changing.say,
    "specthread/answer": changing.answer,
    "specthread/note": noting.note,
    "specthread/ask": noting.ask,
    "specthread/pause": changing.pause,
    "specthread/resume": changing.resume,
    "specthread/cancel": changing.cancel,
    "specthread/retry": changing.retry,
    "specthread/spawn": changing.spawn,
    "specthread/locks": locking.locks,
    "specthread/release": locking.release,
    "specthread/accept": changing.accept,
    "specthread/skip": changing.skip,
    "specthread/sync": changing.sync,
    "specthread/land": landing.land,
    "specthread/archive": changing.archive,
    "specthread/rebuild": rebuilding.rebuild,
    "specthread/versions": versions.versions,
    "specthread/diff": versions.diff,
    "specthread/pr": pull_request.pr,
    "specthread/subscribe": reading.subscribe,
    "specthread/status": reading.status,
    "specthread/logs": reading.logs,
    "specthread/cache": caching.cache,
    "specthread/stop": reading.stop,
    "specthread/allow": reading.allow,
}
"""The function behind each method of `wire.METHODS`."""
