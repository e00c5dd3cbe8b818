import pytest

from specthread.spec.dialects import detect, is_spec_folder, place_of


@pytest.mark.parametrize(
    ("path", "content", "dialect"),
    [
        (".specs/add-json-7k3f/tasks.md", b"- [ ] T001 x", "specthread"),
        ("/home/me/project/.kiro/specs/login/tasks.md", b"", "kiro"),
        ("C:\\project\\.kiro\\specs\\login", b"", "kiro"),
        (".kiro/specs/login/tasks.md", b"- [ ] 2.1 (P) text", "cc-sdd"),
        (".spec-workflow/specs/login/tasks.md", b"", "spec-workflow"),
        ("openspec/changes/add-login/tasks.md", b"", "openspec"),
        ("specs/001-login/tasks.md", b"", "spec-kit"),
        ("specs/20260101-120000-login/spec.md", b"", "spec-kit"),
        (".kiro/x/.specs/y/tasks.md", b"", "specthread"),
        ("tasks.md", b"# Tasks\n- [ ] 1. a\n", "specthread"),
        ("tasks.md", b"- [X] T001 [P] a\n", "spec-kit"),
        ("spec.md", b"### Requirement: a\n#### Scenario: b\n", "openspec"),
        ("tasks.md", b"- [ ] 1. a\n  - _Leverage: b_\n", "spec-workflow"),
        ("tasks.md", b'- [ ] 1. a\n```json\n{"waves": []}\n```\n', "kiro"),
        ("", b"", "specthread"),
    ],
)
def test_the_folder_decides_first_and_the_content_second(path, content, dialect):
    assert detect(path, content) == dialect


def test_only_the_spec_of_a_capability_belongs_to_a_change_at_any_depth():
    assert place_of("openspec/changes/c/specs/a/b/spec.md") == ("openspec/changes/c", "specs/a/b/spec")
    assert place_of("openspec/changes/c/specs/a/tasks.md") is None


@pytest.mark.parametrize(
    ("folder", "is_one"),
    [
        (".specs/login", True),
        (".specs", False),
        ("/home/me/.kiro/specs/login", True),
        ("C:\\project\\.kiro\\specs\\login", True),
        (".kiro/steering", False),
        (".spec-workflow/specs/login", True),
        (".spec-workflow/archive/specs/login", True),
        (".spec-workflow/steering", False),
        ("openspec", False),
        ("openspec/specs/auth", True),
        ("openspec/changes/add-login", True),
        ("openspec/changes/archive", False),
        ("openspec/changes/archive/2026-01-01-add-login", True),
        ("specs/001-login", True),
        ("specs/001-login/checklists", False),
        ("specs/login", False),
        ("docs/specs", False),
    ],
)
def test_specs_lie_where_their_dialect_keeps_them(folder, is_one):
    assert is_spec_folder(folder) is is_one
    assert (place_of(f"{folder}/tasks.md") is not None) is is_one
