"""The texts of the demo: the toy repository, the documents, and the code that its sessions write."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

MARKER = "This toy project was made by `specthread demo`."
"""A line of the toy repository's README: the demo's agent works nowhere else."""
PROMPT = "Add a JSON view and a totals view to the list command, chosen by --view."


@cache
def text_of(name: str) -> str:
    """Returns one of the texts that the demo's agents write."""
    return _toy().joinpath("work", name).read_text(encoding="utf-8")


def toy_files() -> Mapping[str, str]:
    """Returns the files of the toy repository by path."""
    # Packages leave out files whose name begins with a dot.
    return {path.replace("gitignore", ".gitignore"): text for path, text in _texts(_toy().joinpath("start"), "")}


def _toy() -> Traversable:
    return files("specthread.agents.demo").joinpath("toy")


def _texts(folder: Traversable, prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "__pycache__":
            found += _texts(entry, f"{prefix}{entry.name}/")
        elif entry.is_file():
            found.append((f"{prefix}{entry.name}", entry.read_text(encoding="utf-8")))
    return found
