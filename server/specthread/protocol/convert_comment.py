"""Review comments as clients get them."""

from __future__ import annotations

from specthread.domain.model import Comment, SpecTask
from specthread.protocol.wire_view import CommentView


def comment_views(spectask: SpecTask) -> list[CommentView]:
    """Returns the comments, oldest first."""
    return [_comment_view(comment) for comment in sorted(spectask.comments.values(), key=lambda comment: comment.seq)]


def _comment_view(comment: Comment) -> CommentView:
    return CommentView(
        id=comment.id,
        document=comment.document,
        line=comment.line,
        quote=comment.quote,
        section=comment.section,
        text=comment.text,
        author=comment.author,
        answer=comment.answer,
        resolved=comment.resolved,
    )
