"""Where the transcript of a session lies in the specs branch: one file per turn, so that a long session never rewrites a long file."""

from specgit.types import validate_path

_SHARD = 100


def turn_path(task_id: str, session_name: str, turn: int) -> str:
    """Returns the path of one turn of `ws-<n>` or `plan-<n>`, in a folder per hundred turns."""
    return validate_path(f".specs/{task_id}/sessions/{session_name}/{turn // _SHARD:02d}/{turn:04d}.md")


def summary_path(task_id: str, session_name: str) -> str:
    """Returns the path of the page that sums up a session once it has ended."""
    return validate_path(f".specs/{task_id}/sessions/{session_name}.md")
