import pytest

from specthread.spec.tasks import parse_tasks


def parse(text):
    return {task.id: task for task in parse_tasks(text.encode()).tasks}


def test_a_task_carries_all_that_is_written_under_it():
    task = parse(
        """# Plan
## Phase one
- [-]* 1. Build the **form**
  - Use the old one.
    - Nested.

    ```sh
    - [ ] 9. not a task
    ```
  - _Requirements: 1.1-1.3, 2, R4.1_
  - _Depends: none_
  - _When: task 2 failed_
  - _Files: src/a.py, `tests/`, src/__init__.py_
  - _Role: backend_
  - _Check: python -m unittest tests.test_a_b_
  - _Leverage: src/old.py_
"""
    )["1"]
    assert (task.title, task.state, task.state_raw, task.optional, task.line) == ("Build the **form**", "in_progress", "-", True, 3)
    assert task.detail == "- Use the old one.\n  - Nested.\n\n  ```sh\n  - [ ] 9. not a task\n  ```\n- _Leverage: src/old.py_"
    assert task.requires == ("1.1", "1.2", "1.3", "2", "4.1")
    assert task.requires_written == ("1.1-1.3", "2", "R4.1")
    assert (task.depends, task.depends_source) == ((), "none")
    assert (task.when, task.role, task.check) == ("task 2 failed", "backend", "python -m unittest tests.test_a_b")
    assert task.files == ("src/a.py", "tests/", "src/__init__.py")
    assert task.section == "Phase one"
    assert ("leverage", "src/old.py") in {(meta.label, meta.value) for meta in task.meta}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("- [ ] 1. a", ("1", "a", "todo", False)),
        ("* [x] 1) a", ("1", "a", "done", False)),
        ("+ [X] 1: a", ("1", "a", "done", False)),
        ("- [~] 1.2 a", ("1.2", "a", "queued", False)),
        ("-   [ ]   1.2. a  ", ("1.2", "a", "todo", False)),
        ("- [ ]* 1. a", ("1", "a", "todo", True)),
        ("- [ ]\\* 1\\. a", ("1", "a", "todo", True)),
        ("- [ ] 12.7* a", ("12.7", "a", "todo", True)),
        ("- [ ] **1. a**", ("1", "a", "todo", False)),
        ("- [ ] **1.** a", ("1", "a", "todo", False)),
        ("- [ ] 1.2a a", ("1.2a", "a", "todo", False)),
        ("- [ ] 1.", ("1", "", "todo", False)),
        ("\t- [/] 1. a", ("1", "a", "todo", False)),
    ],
)
def test_a_numbered_box_is_a_task_however_it_is_spelled(line, expected):
    [task] = parse_tasks(line.encode()).tasks
    assert (task.id, task.title, task.state, task.optional) == expected


@pytest.mark.parametrize(
    "line",
    [
        "- [ ] a",
        "- [ ] 3 things",
        "- [ ] **1280px時に**",
        "- [P] tasks = parallel",
        "- 1. [ ] a",
        "| 1.1 | a | [ ] |",
        "- [] 1. a",
        "## `- [ ] 1. a`",
        "- [ ] 1.1名",
        "- [ ] 99999999. a",
    ],
)
def test_what_only_looks_like_a_task_is_none(line):
    assert not parse_tasks(line.encode()).tasks


@pytest.mark.parametrize(
    ("text", "parents"),
    [
        ("- [ ] 1. a\n- [ ] 1.1 b\n- [ ] 1.2.1 c\n- [ ] 2. d", {"1": None, "1.1": "1", "1.2.1": "1", "2": None}),
        ("- [ ] 7. a\n  - [ ] 1.1 b\n  - [ ] 1.2 c", {"7": None, "1.1": "7", "1.2": "7"}),
        ("- [ ] 1.1 a\n- [ ] 1.2 b", {"1.1": None, "1.2": None}),
        ("- [ ] 1. a\n  - [ ] 2. b", {"1": None, "2": None}),
        ("- [ ] 1.1.1.1 a\n  - [ ] 1.1 b", {"1.1.1.1": None, "1.1": "1.1.1.1"}),
    ],
)
def test_the_tree_comes_from_ids_first_and_indent_second(text, parents):
    tasks = parse(text)
    assert {name: task.parent for name, task in tasks.items()} == parents
    assert {name for name, task in tasks.items() if not task.leaf} == {parent for parent in parents.values() if parent}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.\n2.\n3.", {"1": [], "2": ["1"], "3": ["2"]}),
        ("1.\n 1.1\n 1.2\n2.", {"1": [], "1.1": [], "1.2": ["1.1"], "2": ["1.2"]}),
        ("1.\n2. none\n3. 1, 2", {"1": [], "2": [], "3": ["1", "2"]}),
        ("1.\n2. 1-1\n3. tasks 1 and T2", {"1": [], "2": ["1", "1"][:1], "3": ["1", "2"]}),
        ("1.\n*2.\n3.", {"1": [], "2": ["1"], "3": ["1"]}),
        ("1.\n2.\n3. 1\n 3.1\n 3.2\n4.", {"1": [], "2": ["1"], "3": ["1"], "3.1": ["1"], "3.2": ["3.1", "1"], "4": ["3.2"]}),
        ("1.\n2. none\n 2.1\n 2.2", {"1": [], "2": [], "2.1": [], "2.2": ["2.1"]}),
        ("1.\n2. 1\n 2.1 none\n 2.2 2.1", {"1": [], "2": ["1"], "2.1": ["1"], "2.2": ["2.1", "1"]}),
    ],
)
def test_a_leaf_waits_for_what_it_names_else_for_the_mandatory_leaf_before_it(text, expected):
    lines = []
    for line in text.splitlines():
        indent = line[: len(line) - len(line.lstrip(" "))]
        number, _, depends = line.strip().partition(" ")
        lines.append(f"{indent}- [ ]{'*' if number.startswith('*') else ''} {number.lstrip('*')} title")
        lines += [f"{indent}  - _Depends: {depends}_"] if depends else []
    assert {name: list(task.depends) for name, task in parse("\n".join(lines)).items()} == expected


def test_where_a_dependency_comes_from_is_told():
    tasks = parse(
        "- [ ] 1. a\n- [ ] 2. b\n  - _Depends: 1_\n  - [ ] 2.1 c\n  - [ ] 2.2 d\n"
        "- [ ] 3. e\n  - _Depends: none_\n- [ ] 4. f\n  - [ ] 4.1 g\n"
    )
    assert {name: task.depends_source for name, task in tasks.items()} == {
        "1": "order", "2": "explicit", "2.1": "explicit", "2.2": "order", "3": "none", "4": "none", "4.1": "order"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("written", "ids"),
    [
        ("1.1", ["1.1"]),
        ("1.1, 2.3", ["1.1", "2.3"]),
        ("1.1\u20131.3", ["1.1", "1.2", "1.3"]),
        ("1.1 〜 1.3、2.1", ["1.1", "1.2", "1.3", "2.1"]),
        ("Requirements 3.1, 3.2 and Requirement 4", ["3.1", "3.2", "4"]),
        ("[1.1, 1.2]", ["1.1", "1.2"]),
        ("`REQ-1`, R1", ["REQ-1", "1"]),
        ("2-4", ["2", "3", "4"]),
        ("1.1-3.2", ["1.1", "1", "2", "3.1", "3.2"]),
        ("1.2 to 2.1", ["1.2", "2.1"]),
        ("1 - 3.2", ["1", "2", "3.1", "3.2"]),
        ("FR-001 to FR-003", ["FR-001", "FR-002", "FR-003"]),
        ("FR-001..FR-003, FR-009-FR-011", ["FR-001", "FR-002", "FR-003", "FR-009", "FR-010", "FR-011"]),
        ("FR-1.1 - FR-3.2", ["FR-1.1", "FR-3.2"]),
        ("3.1-1.2", ["3.1", "1.2"]),
        ("1.1-999999.1", ["1.1", "999999.1"]),
        ("1.1a-2.1", ["1.1a", "2.1"]),
        ("1.3-1.1", ["1.3", "1.1"]),
        ("1.1-1.999999", ["1.1", "1.999999"]),
        ("4.1a, 1.3.1", ["4.1a", "1.3.1"]),
        ("1.1, 1.1", ["1.1"]),
        ("All, NFR Security, none", []),
        ("", []),
    ],
)
def test_reference_lists_are_read_as_people_write_them(written, ids):
    assert list(parse(f"- [ ] 1. a\n  - _Requirements: {written}_")["1"].requires) == ids


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("_Requirements: 1.1_ _Depends: none_ _Check: make test_", ("1.1", "make test")),
        ("- \\_Requirements: 1.1\\_\n  - \\_Check: make test", ("1.1", "make test")),
        ("**Validates: Requirements 1.1**\n  _Check: make test_", ("1.1", "make test")),
        ("- _Requirements: 1.1_\n  - _Check: make\n    test_", ("1.1", "make test")),
        ("- _requirements: 1.1_\n  - _CHECK: `make test`_", ("1.1", "make test")),
        ("- _Requirements: 1.1_\n  - _Check: make_\n  - _Check: test_", ("1.1", "make && test")),
        ("- _Requirements: 1.1_\n  - _Check: regression_", ("1.1", "regression")),
        ("- _Requirements: 1.1_\n  - _Check: regression_\n  - _Check: make_", ("1.1", "make")),
        ("- _Requirements: 1.1\n  - next bullet_\n  - _Check: _", ("1.1", None)),
    ],
)
def test_facts_are_found_wrapped_escaped_and_side_by_side(lines, expected):
    task = parse(f"- [ ] 1. a\n  {lines}\n")["1"]
    assert (" ".join(task.requires), task.check) == expected


def test_a_list_of_files_may_be_wrapped():
    assert parse("- [ ] 1. a\n  - _Files: a.py,\n    b.py, c_d.py_\n    more\n")["1"].files == ("a.py", "b.py", "c_d.py")


@pytest.mark.parametrize("ending", ["## Notes\n- x", "\nA paragraph.\n- x", "- [ ] a checklist\n- x"])
def test_what_follows_the_list_does_not_belong_to_the_last_task(ending):
    assert parse(f"- [ ] 1. a\n- detail\n{ending}")["1"].detail == "- detail"


def test_the_second_task_of_one_number_is_kept_and_reported():
    parsed = parse_tasks(b"- [ ] 1. a\n- [ ] 1. b\n")
    assert [task.title for task in parsed.tasks] == ["a", "b"]
    assert [(problem.code, problem.line) for problem in parsed.problems] == [("task/duplicate-id", 2)]


@pytest.mark.parametrize("line", ["_Requirements: 1.1_ ✅", "_Requirements: 1.1_.", "\\_Requirements: 1.1\\_", "_Requirements: 1.1"])
def test_what_stands_behind_a_closed_list_is_none_of_it(line):
    assert parse(f"- [ ] 1. a\n  - {line}\n")["1"].requires_written == ("1.1",)
