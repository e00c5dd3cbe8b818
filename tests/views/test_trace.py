import pytest
from hypothesis import given
from hypothesis import strategies as st
from immutables import Map

from specthread.agents.demo.material import text_of
from specthread.spec.code_paths import is_test, matches
from specthread.spec.document import DocumentName
from specthread.spec.home import home_of, names_of
from specthread.spec.markers import form_of
from specthread.spec.spec import read_spec
from specthread.spec.symbols import Symbol
from specthread.views.report import report_markdown
from specthread.views.trace import TraceCommit, TraceIndex, TraceRules, TraceSession
from specthread.views.trace_rows import gaps_in, row_of, rows
from specthread.views.trace_spectask import with_spectask
from support.fake_engine import ID, FakeEngine

REQUIREMENTS = b"""### Requirement 1: JSON

#### Acceptance Criteria

1. THE cli SHALL print one document.
2. THE cli SHALL end with 0.
3. THE cli SHALL be fast.
"""
DESIGN = b"### Property 1: round trip\n\n**Validates: Requirements 1.1**\n"
TASKS = b"""- [x] 1. Encoder
  - _Requirements: 1.1_
  - _Files: src/encode.py_
- [ ] 2. Command
  - _Requirements: 1_
  - [ ] 2.1 Exit code
- [ ] 3. Words
"""
HOME, OTHER = ".specs/add-json-7k3f", ".kiro/specs/user-auth"


def spec(tasks=TASKS):
    return read_spec({DocumentName("requirements"): REQUIREMENTS, DocumentName("design"): DESIGN, DocumentName("tasks"): tasks})


SPEC = spec()
OTHER_SPEC = spec(b"- [ ] 1. Login\n  - _Requirements: 1.1_\n  - _Files: src/login.py_\n")
ONE, WHOLE = Symbol("criterion", "1.1"), Symbol("requirement", "1")


def places(found):
    return [(mention.path, mention.marker.span.line, mention.is_sure) for mention in found]


def test_a_criterion_is_followed_to_tasks_properties_sessions_commits_code_and_tests():
    index = TraceIndex().with_spec(HOME, SPEC, Map({"1": "merged"}))
    index = index.with_file("src/encode.py", b"\n# Req 1.1\n").with_file("tests/test_encode.py", b"def test_req_1_1_prints(): ...\n")
    merge = TraceCommit("a" * 40, "Merge task 1", "add-json-7k3f", "1", ("1.1",), "add-json-7k3f/ws-1/1")
    work = TraceSession("add-json-7k3f/ws-1", "1", "completed")
    row = row_of(index.with_commits([merge]).with_sessions(HOME, [work]), HOME, ONE)
    assert row
    assert [(task.id, task.state) for task in row.tasks] == [("1", "merged"), ("2.1", "todo")]
    assert (row.properties, row.sessions, row.commits) == (("1",), (work,), (merge,))
    assert (places(row.code), places(row.tests)) == ([("src/encode.py", 2, True)], [("tests/test_encode.py", 1, True)])
    assert (row.line, row.gaps) == (5, ())


def test_a_requirement_holds_what_concerns_its_parts_and_a_mention_of_it_counts_for_all_of_them():
    index = TraceIndex().with_spec(HOME, SPEC).with_file("tests/test_json.py", b"# Req 1\n# Req 1.2\n")
    (whole,) = rows(index, HOME)
    assert places(whole.tests) == [("tests/test_json.py", 1, True), ("tests/test_json.py", 2, True)]
    assert [len(row.tests) for row in whole.criteria] == [1, 2, 1]
    assert gaps_in([whole]) == 0


def test_gaps_are_criteria_without_a_task_and_without_a_test():
    tasks = b"- [ ] 1. Encoder\n  - _Requirements: 1.1, 1.2_\n"
    index = TraceIndex().with_spec(HOME, spec(tasks)).with_file("src/a.py", b"# Req 1.3\n").with_file("tests/a.py", b"# Req 1.1")
    (whole,) = rows(index, HOME)
    assert [row.gaps for row in whole.criteria] == [(), ("no-test",), ("no-task", "no-test")]
    assert (whole.gaps, gaps_in([whole])) == ((), 3)


def test_an_id_of_several_specs_means_the_one_that_is_named_that_names_the_file_or_whose_name_is_in_the_path():
    index = TraceIndex().with_spec(HOME, SPEC).with_spec(OTHER, OTHER_SPEC)
    files = {
        "named.py": (b"# add-json: Req 1.1", [HOME]),
        "bound.py": (b"# user-auth#1.1", [OTHER]),
        "nowhere.py": (b"# [spec:gone] Req 1.1", []),
        "words.py": (b"# see: Req 1.1", [OTHER, HOME]),
        "src/login.py": (b"# Req 1.1", [OTHER]),
        "tests/test_add_json.py": (b"# Req 1.1", [HOME]),
        "unclear.py": (b"# Req 1.1", [OTHER, HOME]),
        "unknown.py": (b"# Req 9.9", []),
    }
    for path, (content, homes) in files.items():
        known = index.with_file(path, content)
        (marker,) = known.files[path]
        assert [each.home for each in known.meant(path, marker)] == homes, path
    unclear = index.with_file("tests/unclear.py", b"# Req 1.1")
    assert places(unclear.mentions(HOME, ONE)) == [("tests/unclear.py", 1, False)]
    row = row_of(unclear, HOME, ONE)
    assert row
    assert row.gaps == ("no-test",)


def test_a_file_that_is_gone_binary_or_without_markers_leaves_nothing_behind():
    empty = TraceIndex().with_spec(HOME, SPEC)
    known = empty.with_file("a.py", b"# Req 1.1")
    assert known != empty
    assert known.with_file("a.py", None) == known.with_file("a.py", b"nothing") == empty
    assert dict(known.with_file("a.py", b"Req 1.1\0").passed_over) == {"a.py": "binary"}
    assert known.with_file("a.py", b"# Req 1.1") is known


def test_own_forms_and_own_test_paths_are_obeyed():
    index = TraceIndex(rules=TraceRules((form_of(r"@c\((?P<id>.+?)\)"),), ("checks/",))).with_spec(HOME, SPEC)
    index = index.with_file("checks/a.py", b"@c(1.1)").with_file("tests/a.py", b"@c(1.1)")
    assert [(mention.path, mention.is_test) for mention in index.mentions(HOME, ONE)] == [("checks/a.py", True), ("tests/a.py", False)]


def test_a_commit_counts_for_what_its_trailers_name_else_for_its_task():
    commits = [
        TraceCommit("1", "by id", "", "", ("1.3",), ""),
        TraceCommit("2", "of another", "user-auth", "1", ("1.1",), ""),
        TraceCommit("3", "by task", "add-json", "1", (), ""),
    ]
    index = TraceIndex().with_spec(HOME, SPEC).with_commits(commits)
    (whole,) = rows(index, HOME)
    assert [[commit.oid for commit in row.commits] for row in whole.criteria] == [["3"], [], ["1"]]
    (whole,) = rows(index.with_spec(OTHER, OTHER_SPEC), HOME)
    assert [[commit.oid for commit in row.commits] for row in whole.criteria] == [["3"], [], []]


CONTENTS = st.sampled_from([b"# Req 1.1", b"# Req 1.2\n# Task 2.1", b"# user-auth: Req 1", b"\0", b"nothing", None])
STEPS = st.one_of(
    st.tuples(st.just("file"), st.sampled_from(["a.py", "tests/a.py", "src/login.py"]), CONTENTS),
    st.tuples(st.just("spec"), st.sampled_from([HOME, OTHER]), st.sampled_from([SPEC, OTHER_SPEC, None])),
    st.tuples(st.just("sessions"), st.just(HOME), st.sampled_from([(), (TraceSession("ws-1", "1", "running"),)])),
)


def after(index, step):
    kind, name, value = step
    return {"file": index.with_file, "spec": index.with_spec, "sessions": index.with_sessions}[kind](name, value)


@given(st.lists(STEPS, max_size=12), st.randoms(use_true_random=False))
def test_an_index_updated_step_by_step_equals_one_built_anew_in_any_order(steps, random):
    index = TraceIndex()
    for step in steps:
        index = after(index, step)
    last = list({(kind, name): (kind, name, value) for kind, name, value in steps}.values())
    random.shuffle(last)
    anew = TraceIndex()
    for step in last:
        anew = after(anew, step)
    assert index == anew
    assert [rows(index, home) for home in (HOME, OTHER)] == [rows(anew, home) for home in (HOME, OTHER)]


@pytest.mark.parametrize(
    ("path", "home", "name"),
    [
        (".specs/add-json-7k3f/requirements.md", ".specs/add-json-7k3f", "requirements"),
        (".kiro/specs/user-auth/tasks.md", ".kiro/specs/user-auth", "tasks"),
        ("specs/001-auth/spec.md", "specs/001-auth", "spec"),
        ("sub/openspec/changes/add-x/specs/auth/spec.md", "sub/openspec/changes/add-x", "specs/auth/spec"),
        ("openspec/specs/auth/spec.md", "openspec/specs/auth", "spec"),
    ],
)
def test_the_home_of_a_document_is_its_spec_folder(path, home, name):
    assert home_of(path) == (home, name)


def test_what_is_no_live_document_has_no_home():
    for path in ("docs/design.md", ".specs/x/report.md", "openspec/changes/archive/2025-add-x/tasks.md", ".specs/x/review/tasks.json"):
        assert home_of(path) is None, path


def test_a_spec_is_also_called_by_its_name_without_our_end_or_spec_kits_number():
    assert names_of(".specs/add-json-7k3f") == {"add-json", "add-json-7k3f"}
    assert names_of("specs/001-auth") == {"auth", "001-auth"}
    assert names_of(".kiro/specs/user-auth") == {"user-auth"}


def test_tests_are_told_by_the_conventions_of_languages():
    tests = ["tests/a.py", "src/test_a.py", "a.test.ts", "src/FooTest.java", "spec/foo_spec.rb", "foo_test.go", "src/__tests__/x.js"]
    others = ["src/contest.py", "lib/latest.js", "testdata.py", "src/Attest.java"]
    assert [path for path in (*tests, *others) if is_test(path)] == tests


def test_a_pattern_names_a_path_a_folder_above_it_or_a_name_anywhere():
    assert all(matches("src/a/b.py", [pattern]) for pattern in ("src", "src/", "*.py", "**/b.py", "src/**/b.py", "./src/a", "b.py"))
    assert not any(matches("src/a/b.py", [pattern]) for pattern in ("sr", "b", "a/b.py", "[x"))


async def test_the_report_shows_tasks_and_commits_and_where_the_code_is_known_its_tests(tmp_path):
    engine = FakeEngine(tmp_path)
    await engine.create()
    await engine.plan()
    await engine.approve()
    await engine.implement()
    spectask = engine.visible.spectasks[ID]
    line = "| 1.1 WHEN the user passes `--json`, THE tool SHALL print one JSON document. | 1 (in progress), 2 (in progress), 3 (open) |  |"
    assert f"| Requirement | Tasks | Commits |\n|---|---|---|\n{line}\n" in report_markdown(spectask)
    index = with_spectask(TraceIndex().with_file("tests/a|b.py", b"# Req 1.1"), spectask)
    assert f"{line}  | `tests/a\\|b.py:1` |\n" in report_markdown(spectask, (), index)
    bare = with_spectask(TraceIndex(), spectask).with_commits([TraceCommit("c" * 40, "Merge", ID, "1", ("1.1",), "")])
    assert "| `cccccccccccc` |  | **no test** |" in report_markdown(spectask, (), bare)


def test_the_tests_of_the_demo_speak_of_every_criterion():
    documents = {DocumentName(name): text_of(f"{name}.md").encode() for name in ("requirements", "design", "tasks")}
    index = TraceIndex().with_spec(HOME, read_spec(documents))
    for name in ("test_json_view.py", "test_totals_view.py", "test_view_option.py", "test_readme.py"):
        index = index.with_file(f"tests/{name}", text_of(name).encode())
    assert [(row.symbol.id, row.gaps) for whole in rows(index, HOME) for row in whole.criteria if row.gaps] == []
