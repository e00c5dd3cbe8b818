from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.source_tree import ROOT


def test_imports_go_only_downwards():
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
