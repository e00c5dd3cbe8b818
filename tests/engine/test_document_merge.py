from __future__ import annotations

from specthread.engine.document_merge import merge_document
from support.desk_story import git_merge

TASKS = b"# Plan\n\n## First\n\n- [ ] 1. One\n\nwords\n\nmore words\n\n## Second\n\n- [ ] 2. Two\n"


def merged(ours, theirs, name="tasks"):
    return merge_document(git_merge, "specthread", name, TASKS, ours, theirs)


def test_two_tasks_with_one_number_are_asked_about_though_their_lines_are_far_apart():
    ours = TASKS.replace(b"1. One\n", b"1. One\n- [ ] 3. Mine\n")
    theirs = TASKS.replace(b"2. Two\n", b"2. Two\n- [ ] 3. Yours")
    assert git_merge(TASKS, ours, theirs).conflict is False
    found = merged(ours, theirs)
    assert (found.conflict, found.questions) == (True, ("Task 3 was added on both sides, with different words.",))
    assert found.content == b"<<<<<<< ours\n" + ours + b"=======\n" + theirs + b"\n>>>>>>> theirs\n"


def test_a_document_of_which_nothing_is_known_is_merged_line_by_line():
    ours, theirs = TASKS.replace(b"words", b"our words", 1), TASKS.replace(b"more", b"their")
    assert merged(ours, theirs, name="notes").content == git_merge(TASKS, ours, theirs).content
