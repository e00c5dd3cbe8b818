"""A spec in a Kiro folder for stories in real editors: what it reads at first, and after its one mistake is mended and its requirement is renamed.

What stands in front of the places that are edited takes one, two, three or four units, depending on how an editor counts.
"""

from __future__ import annotations

MISSING = "requirements.md holds no 1.22"
"""What is found in the tasks."""
FIX = "Change to 1.2"
REQUIREMENTS = """\
# Requirements Document

### Requirement 1: 書き出し 📤

**User Story:** As a writer, I want files, so that I can keep my notes.

#### Acceptance Criteria

1. WHEN the user presses Export, THE app SHALL write one file per note.
2. WHEN the disk is full, THE app SHALL say so.
"""
TASKS = """\
# Implementation Plan

- [ ] 1. Write one file per note
  - _Requirements: 1.1_
- [ ] 2. 満杯なら言う é 👍🏽 _(Requirements: 1.22)_
"""
RENAMED = {
    "requirements.md": REQUIREMENTS.replace("Requirement 1", "Requirement 7"),
    "tasks.md": TASKS.replace("1.22", "7.2").replace("1.1", "7.1"),
}
"""What both read once 1.22 is corrected and requirement 1 is made requirement 7."""


def write_spec(repository):
    """Writes both documents into a repository and returns their folder."""
    folder = repository / ".kiro/specs/notes"
    folder.mkdir(parents=True)
    (folder / "requirements.md").write_text(REQUIREMENTS)
    (folder / "tasks.md").write_text(TASKS)
    return folder


def written(folder):
    """Returns what both read on the disk."""
    return {name: (folder / name).read_text() for name in RENAMED}
