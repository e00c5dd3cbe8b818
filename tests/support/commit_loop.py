"""A process of its own that commits to one branch and prints each commit it was promised; for tests of concurrency and sudden death."""

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from specgit.commits import CommitRequest, Writer
from specgit.repository import Repository
from specgit.types import Person, spec_refs


def main(checkout: str, name: str, first: int, count: int) -> None:
    """Commits `count` files, each as one event, and writes one line `<event> <oid> <milliseconds>` for each when it is acknowledged."""
    writer = Writer(Repository.open(Path(checkout)))
    author = Person(name=name, email=f"{name}@example.org")
    for number in range(first, first + count):
        event = f"{name}:{number}"
        files = {f"{name}/{number:04d}.md": f"{event}\n".encode()}
        request = CommitRequest(
            ref=spec_refs("a-7k3f").specs, message=event, author=author, when=datetime.now(UTC), event=event, files=files
        )
        started = time.perf_counter()
        made = writer.commit([request])[0]
        os.write(1, f"{event} {made.oid} {(time.perf_counter() - started) * 1000:.2f}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
