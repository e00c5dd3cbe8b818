import pytest

from specthread.spec.dialects import detect, place_of


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
