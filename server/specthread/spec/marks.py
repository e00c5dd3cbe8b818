"""Which lines of a document hold no structure: code fences, HTML comments and front matter. A fence or comment never closed hides nothing."""

import re
from collections.abc import Sequence
from typing import Literal

Mark = Literal["text", "fence", "comment", "comment-start", "front"]
"""`comment-start` is a line that begins with a comment and holds nothing else in front of it."""


def marks_of(texts: Sequence[str]) -> list[Mark]:
    """The mark of every line."""
    front = _front_matter_length(texts)
    marks: list[Mark] = ["front"] * front
    if all(is_plain(text) for text in texts):
        return [*marks, *_text(len(texts) - front)]
    closers = _longest_closers(texts)
    last_comment_end = max((index for index, text in enumerate(texts) if "-->" in text), default=-1)
    fence = ""
    commented = False
    for index in range(front, len(texts)):
        text = texts[index]
        if fence:
            marks.append("fence")
            fence = "" if _closes(text, fence) else fence
        elif commented:
            marks.append("comment")
            commented = "-->" not in text
        elif is_plain(text):
            marks.append("text")
        elif (opener := fence_run(text)) and closers[opener[0]][index + 1] >= len(opener):
            marks.append("fence")
            fence = opener
        else:
            commented = _leaves_comment_open(text) and last_comment_end > index
            whole = text.lstrip().startswith("<!--") and (commented or "-->" in text)
            marks.append("comment-start" if whole else "text")
    return marks


def is_plain(text: str) -> bool:
    """Whether the line opens and closes nothing, so that it has the mark of its neighbours."""
    # Two hyphens alone are everyday text, as in `make --quiet`; looking for them first is cheaper than looking for both signs of a comment.
    return "```" not in text and "~~~" not in text and ("--" not in text or ("<!--" not in text and "-->" not in text))


def fence_run(text: str) -> str:
    """The run of ticks or tildes with which the line opens a fence; empty where it opens none."""
    if "```" not in text and "~~~" not in text:
        return ""
    found = _FENCE.match(text)
    return found.group(1) if found else ""


_FRONT_MATTER_KEY = re.compile(r"[A-Za-z][\w-]*[ \t]*:")
_FENCE = re.compile(r"[ \t]*(?:[-*+][ \t]+)?(`{3,}(?=[^`]*$)|~{3,})")


def _text(count: int) -> list[Mark]:
    return ["text"] * count


def _front_matter_length(texts: Sequence[str]) -> int:
    # A rule at the top of a document looks the same; only a `key:` directly below it makes it front matter.
    if len(texts) < 2 or texts[0].rstrip() != "---" or not _FRONT_MATTER_KEY.match(texts[1]):  # noqa: PLR2004  a rule and its first key
        return 0
    return next((index + 1 for index in range(1, len(texts)) if texts[index].rstrip() in {"---", "..."}), 0)


def _closes(text: str, fence: str) -> bool:
    bare = text.strip()
    return len(bare) >= len(fence) and bare == fence[0] * len(bare)


def _longest_closers(texts: Sequence[str]) -> dict[str, list[int]]:
    """Per fence character the longest closing run at or below each line: whether a fence is ever closed, without looking ahead."""
    longest = {"`": [0] * (len(texts) + 1), "~": [0] * (len(texts) + 1)}
    below = {"`": 0, "~": 0}
    for index in range(len(texts) - 1, -1, -1):
        bare = "" if is_plain(texts[index]) else texts[index].strip()
        for char in below if bare else ():
            if bare.startswith(char * 3) and bare == char * len(bare):
                below[char] = max(below[char], len(bare))
        longest["`"][index], longest["~"][index] = below["`"], below["~"]
    return longest


def _leaves_comment_open(text: str) -> bool:
    opened = text.rfind("<!--")
    if opened < 0 or "-->" in text[opened:]:
        return False
    return text.count("`", 0, opened) % 2 == 0  # an odd number of ticks before it: the sign is quoted in inline code
