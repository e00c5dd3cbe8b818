"""One file watcher for all desks: it only wakes them up, and never decides anything."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

import structlog
from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver
from watchdog.observers.polling import PollingObserver

_log = structlog.get_logger(__name__)

# Opening and closing without a write are left out: the desk itself reads its files, and would wake itself for ever.
_EVENTS: list[type[FileSystemEvent]] = [
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
]


class DeskWatch(FileSystemEventHandler):
    """Watches the folder of all desks and calls back whoever registered the folder in which something was written.

    Where the system's watcher is not available or used up, it compares listings once a second instead.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._lock = threading.Lock()
        self._callbacks: dict[str, Callable[[], object]] = {}
        self._observer: BaseObserver | None = None

    def start(self) -> Self:
        """Starts watching; makes the folder if needed."""
        self._root.mkdir(parents=True, exist_ok=True)
        try:
            self._observer = self._started(Observer())
        except OSError as fault:
            _log.warning("The system's file watcher cannot be used, so desks are compared once a second.", reason=str(fault))
            self._observer = self._started(PollingObserver(timeout=1.0))
        return self

    def stop(self) -> None:
        """Stops watching; callbacks no longer come."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
            self._observer = None

    def register(self, folder: Path, callback: Callable[[], object]) -> Callable[[], None]:
        """Has `callback` called, in the watcher's thread, for every write below `folder`; returns what ends that."""
        key = str(folder.resolve())
        with self._lock:
            self._callbacks[key] = callback

        def end() -> None:
            with self._lock:
                self._callbacks.pop(key, None)

        return end

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Passes an event of the observer on to the desks it concerns."""
        paths = {str(path) for path in (event.src_path, event.dest_path) if path}
        with self._lock:
            callbacks = {key: self._callbacks[key] for path in paths for key in self._registered_above(path)}
        for callback in callbacks.values():
            callback()

    def _registered_above(self, path: str) -> list[str]:
        return [key for folder in (Path(path), *Path(path).parents) if (key := str(folder)) in self._callbacks]

    def _started(self, observer: BaseObserver) -> BaseObserver:
        observer.schedule(self, str(self._root), recursive=True, event_filter=_EVENTS)
        observer.start()
        return observer
