"""A spec folder that is there already, on the command line."""

from __future__ import annotations

from support.git_fixture import write_files

KIRO = ".kiro/specs/report"
DOCUMENTS = {
    "requirements.md": "# R\n\n### Requirement 1: R\n\n#### Acceptance Criteria\n\n1. THE tool SHALL report.\n",
    "tasks.md": "- [x] 1. Report\n",
}


def test_a_spec_folder_is_taken_over_without_a_key_and_says_what_it_is(repository, program):
    write_files(repository / KIRO, DOCUMENTS)
    made = program("new", "--from-spec", KIRO)
    assert made.code == 0, made.err
    assert f"Took over {KIRO} (kiro) as report-" in made.out
    assert "Taken over as they are on the disk" in made.out
    assert "nothing is left to carry out" in made.out.replace("\n", " ")
    (known,) = program("list", "--json").json["spectasks"]
    assert known["why"].startswith(f"Adopted from {KIRO}; waits for your approval")
    view = program("show", known["id"], "--json").json
    assert (view["adopted"], view["dialect"], view["flow"], view["planning"]) == (KIRO, "kiro", "quick", [])
    assert f"adopted from {KIRO} (kiro)" in program("show", known["id"]).out
    assert program("comment", known["id"], f"{KIRO}/tasks.md:1", "-m", "Why?").code == 0


def test_what_cannot_be_taken_over_is_refused_with_the_reason(environ, repository, told):
    tasks, requirements = ({name: text} for name, text in reversed(DOCUMENTS.items()))
    write_files(environ / "elsewhere", DOCUMENTS)
    write_files(repository / ".kiro/specs/no-tasks", requirements)
    write_files(repository / ".kiro/specs/empty-tasks", {**requirements, "tasks.md": "# Tasks\n"})
    write_files(repository / ".kiro/specs/no-requirements", tasks)
    write_files(repository / "openspec/changes/add-x", {**tasks, "specs/x/notes.md": "# X\n"})
    write_files(repository / KIRO, DOCUMENTS)
    (repository / ".kiro/specs/linked").mkdir()
    (repository / ".kiro/specs/linked/tasks.md").symlink_to(repository / KIRO / "tasks.md")
    assert told(1, "There is no ", "new", "--from-spec", "nowhere")
    told(1, "is no spec folder", "new", "--from-spec", ".")
    told(1, "is not in the repository at", "new", "--from-spec", str(environ / "elsewhere"))
    told(1, "has no tasks.md: there is nothing to carry out", "new", "--from-spec", ".kiro/specs/no-tasks")
    told(1, "no task in its tasks document", "new", "--from-spec", ".kiro/specs/empty-tasks")
    told(1, "lacks requirements", "new", "--from-spec", ".kiro/specs/no-requirements")
    told(1, "there is no specs/…/spec.md in it", "new", "--from-spec", "openspec/changes/add-x")
    told(1, "is a link", "new", "--from-spec", ".kiro/specs/linked")
    told(2, "the flow follows from the documents", "new", "--from-spec", KIRO, "--flow", "quick")
    told(2, "at most 100 kB", "new", "-", "--from-spec", KIRO, stdin=b"x" * 200_000)
    told(1, "There is no agent nobody", "new", "--from-spec", KIRO, "--agent", "nobody")
    told(3, "There is no key", "new", "--from-spec", KIRO, "--execute")


def test_a_spec_folder_belongs_to_one_spectask(repository, program, told):
    write_files(repository / KIRO, DOCUMENTS)
    assert program("new", "--from-spec", KIRO).code == 0
    told(1, f"{KIRO} belongs to the SpecTask report-", "new", "--from-spec", KIRO)


def test_a_change_of_openspec_is_taken_over_and_its_files_are_named_by_as_much_of_their_path_as_tells_them_apart(repository, program, told):
    delta = "## ADDED Requirements\n\n### Requirement: {0}\nThe tool SHALL {0}.\n\n#### Scenario: Asked\n- **WHEN** asked\n- **THEN** {0}\n"
    deltas = {f"specs/{name}/spec.md": delta.format(name) for name in ("notes", "user")}
    write_files(repository / "openspec/changes/add-x", {"tasks.md": "- [ ] 1.1 Do it\n", **deltas})
    made = program("new", "--from-spec", "openspec/changes/add-x")
    assert "Took over openspec/changes/add-x (openspec) as add-x-" in made.out, made.err
    (known,) = program("list", "--json").json["spectasks"]
    review = program("review", known["id"], "--json").json
    assert [each["name"] for each in review["documents"]] == ["specs/notes/spec", "specs/user/spec", "tasks"]
    for named in ("specs/user/spec", "user/spec.md", "openspec/changes/add-x/specs/user/spec.md"):
        assert program("comment", known["id"], f"{named}:3", "-m", "Why?").code == 0
    assert {each["document"] for each in program("review", known["id"], "--json").json["comments"]} == {"specs/user/spec"}
    told(1, "has no document spec", "comment", known["id"], "spec.md:3", "-m", "Which?")
    digests = [f"{each['name']}@{each['digest'][:7]}" for each in review["documents"]]
    assert program("approve", known["id"], *digests).code == 0
