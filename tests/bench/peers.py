"""Programs of others that do the same kind of work, installed below build/bench when they are asked for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

BUILD = Path(__file__).parents[2] / "build" / "bench"
MARKDOWN = "vscode-markdown-languageserver@0.5.0"
OPENSPEC = "@fission-ai/openspec@1.13.2"


class AbsentError(Exception):
    """A peer cannot be had here; the words say why, and stand in the table in place of its figure."""


def node_script(package: str, script: str) -> list[str]:
    """Returns how to start a script of an npm package, which is installed where it is not yet; raises AbsentError."""
    name, _, version = package.rpartition("@")
    home = BUILD / f"{name.rpartition('/')[2]}-{version}"
    path = home / "node_modules" / name / script
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise AbsentError(f"{name} is not measured: Node.js with npm is missing")
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        quiet = ["--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
        result = subprocess.run([npm, "install", "--prefix", home, *quiet, package], capture_output=True, text=True, check=False)
        if result.returncode or not path.exists():
            raise AbsentError(f"{name} is not measured: npm cannot install {package}")
    return [node, str(path)]


def program(name: str, beside: Path) -> str:
    """Returns a program that stands beside another one or on the path; raises AbsentError."""
    found = shutil.which(name, path=str(beside)) or shutil.which(name)
    if found is None:
        raise AbsentError(f"{name} is not measured: it is not installed")
    return found
