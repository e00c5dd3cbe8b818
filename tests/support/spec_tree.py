"""Small specs of every dialect, laid out as their tools lay them out, for tests of what walks over them."""

from __future__ import annotations

from pathlib import Path

BAD = "# Requirements\n\n### Requirement 1: Notes\n\n#### Acceptance Criteria\n\n1. IF the disk is full, THE app SHALL say so.\n"
"""Requirements with one warning on line 7 that `--fix` mends."""
GOOD = BAD.replace(", THE app", ", THEN THE app")
CAPABILITY = "# Export\n\n## Requirements\n\n### Requirement: Export notes\n\nThe app SHALL write one file per note.\n"
"""An OpenSpec capability with one error: it has no scenario."""
DELTA = CAPABILITY.replace("## Requirements", "## ADDED Requirements")
SPEC_KIT = "# Feature Specification: Login\n\n## Requirements\n\n### Functional Requirements\n\n- **FR-001**: System MUST log in.\n"

TREE = {
    ".specs/own-1a2b/requirements.md": GOOD,
    ".specs/_completed/older/requirements.md": GOOD,
    ".kiro/specs/login/requirements.md": GOOD,
    "specs/001-login/spec.md": SPEC_KIT,
    "openspec/specs/notes/export/spec.md": CAPABILITY,
    "openspec/changes/add-export/specs/notes/export/spec.md": DELTA,
    "openspec/changes/add-export/tasks.md": "- [ ] 1.1 Write the exporter\n",
    "openspec/changes/archive/2026-01-02-old/specs/notes/spec.md": DELTA,
    ".spec-workflow/specs/search/requirements.md": GOOD,
    ".spec-workflow/archive/specs/gone/requirements.md": GOOD,
}
"""One document or two of each dialect, archived ones among them."""

NO_SPECS = {
    ".git/x/.specs/a/requirements.md": BAD,
    "node_modules/p/.specs/a/requirements.md": BAD,
    ".venv/lib/.kiro/specs/a/requirements.md": BAD,
    ".kiro/settings/templates/specs/requirements.md": BAD,
    ".kiro/steering/design.md": "",
    "openspec/schemas/own/templates/spec.md": DELTA,
    "specs/001-login/checklists/requirements.md": "# Checklist\n",
    "specs/notes/requirements.md": BAD,
    "docs/design.md": "# Design\n",
    "README.md": "# Readme\n",
}
"""Files that look like documents of a spec and are none."""


def plant(folder: Path, files: dict[str, str | bytes]) -> Path:
    """Writes the files below the folder and returns it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder
