from specthread.spec.document import REQUIREMENTS, TASKS
from specthread.spec.report_json import inspect_value


def test_inspect_gives_the_documented_value():
    value = inspect_value(
        {
            REQUIREMENTS: b"### Requirement 1: JSON\n\n**User Story:** As a dev\n\n1. WHEN asked, THE cli SHALL print.\n",
            TASKS: b"- [ ] 1. parent\n  - [x]* 1.1 child\n    - _Requirements: 1.1-1.2_\n    - _Check: pytest_\n",
        }
    )
    assert value == {
        "dialect": "specthread",
        "requirements": [
            {
                "id": "1",
                "title": "JSON",
                "story": "As a dev",
                "line": 1,
                "criteria": [{"id": "1.1", "pattern": "event", "text": "WHEN asked, THE cli SHALL print.", "line": 5}],
            }
        ],
        "tasks": [
            {
                "id": "1", "parent": None, "title": "parent", "state": "todo", "optional": False, "line": 1,
                "requires": [], "requires_written": [], "depends": [], "depends_source": "none",
            },
            {
                "id": "1.1", "parent": "1", "title": "child", "state": "done", "optional": True, "line": 2,
                "requires": ["1.1", "1.2"], "requires_written": ["1.1-1.2"], "depends": [], "depends_source": "order",
            },
        ],
        "problems": [
            {
                "code": "link/unknown-requirement",
                "severity": "error",
                "line": 3,
                "message": "requirements.md holds no 1.2. Correct the number, or add it there.",
            }
        ],
    }  # fmt: skip


def test_documents_not_given_are_empty_lists_and_no_complaint():
    assert inspect_value({}, "kiro") == {"dialect": "kiro", "requirements": [], "tasks": [], "problems": []}
