"""What the tests of an agent's tools share: a small worktree beside a secret, and a way to use a tool."""

from pathlib import Path

from specthread.agents.backend import ToolResult, ToolUse
from specthread.agents.tools import WorkspaceTools

SHOWN = "/home/ada/project"


def make_worktree(tmp_path: Path) -> Path:
    root = tmp_path / "worktree"
    (root / "src/deep").mkdir(parents=True)
    (root / "src/app.py").write_text("import os\n\n\ndef main():\n    return 1\n")
    (root / ".git").write_text("gitdir: /elsewhere\n")
    (root / ".specs/x-1").mkdir(parents=True)
    (root / ".specs/x-1/tasks.md").write_text("- [ ] 1. Do it\n")
    (tmp_path / "secret").write_text("token")
    return root


async def use(tools: WorkspaceTools, name: str, **given) -> ToolResult:
    return await tools.use(ToolUse(id="t", name=name, input=given))


def snapshot(folder) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()}
