"""Hypothesis strategies for documents that look like specs, and for bytes that look like nothing."""

from typing import get_args

from hypothesis import strategies as st

from specthread.spec.dialects import Dialect

LINES = (
    b"# Tasks", b"## Notes", b"### Requirement 1: one", b"### Requirement 2", b"### Requirement 1: again", b"#### Acceptance Criteria",
    b"**User Story:** As a user, I want it", b"1. WHEN a, THE cli SHALL b", b"2. THE cli SHALL c", b"   wrapped", b"1.3 THE cli SHALL d",
    b"- [ ] 1. first", b"- [x] 2. second", b"  - [-] 2.1 child", b"- [~]* 2.2 optional", b"    - [ ] 2.1.1 deep", b"- [?] 3. odd",
    b"- [ ] no number", b"\t- [X] 7.1 tab", b"  - _Requirements: 1.1-1.9, R2, all_", b"  - _Depends: 1, 2.1_", b"  - _Depends: none_",
    b"  - _Check: pytest || true_ _Files: a.py, b_", b"  - _Files: a.py,", b"    b.py_", b"  - **Validates: Requirements 1.2**",
    b"```", b"~~~~", b"```python", b"<!--", b"-->", b"<!-- specthread:1 -->", b"<!--? why -->", b"<!--? two", b"text <!-- open", b"---", b"key: value",
    b"- [x] T001 [P] [US1] first", b"- [ ] T002 [US1+US2] (depends on T001)", b"- [ ] 3.1 (P) side by side", b"- [ ] 4. Checkpoint",
    b"### User Story 1 - one (Priority: P1)", b"- **FR-001**: it MUST", b"1. **Given** a, **When** b, **Then** c", b"## Phase 1: Setup",
    b"### Requirement: name", b"#### Scenario: s", b"- **WHEN** a", b"## REMOVED Requirements", b"### Current Behavior (Defect)", b"1.1 WHEN a",
    b'{"waves": [{"id": 0, "tasks": ["1", "2.1"]}]}', "### 需求 3\uff1a标题".encode(), "#### 验收标准".encode(), "  - _需求\uff1a1.1、1.2_".encode(),
    b"<!-- specthread-ignore task/no-id -->", b"<!-- specthread-ignore-file all -->", b"[NEEDS CLARIFICATION: what]",
    b"", b" ", b"plain text", b"\xe4\xb8\x80\xe8\xa6\xa7 \xf0\x9f\x8e\x89", b"\xff\xfe broken", b"- [", b"- [ ]", b"- [ ] 1.", b"  - _Requirements: 1.1",
)  # fmt: skip

DIALECTS = get_args(Dialect)

line = st.one_of(st.sampled_from(LINES), st.binary(max_size=12))
ending = st.sampled_from((b"\n", b"\r\n", b"\r"))


@st.composite
def documents(draw, max_lines=30):
    pieces = draw(st.lists(st.tuples(line, ending), max_size=max_lines))
    mark = draw(st.sampled_from((b"", b"", b"\xef\xbb\xbf")))
    return mark + b"".join(text + end for text, end in pieces) + draw(st.sampled_from((b"", b"no final newline", b"- [ ] 9. last")))


@st.composite
def edited(draw, content):
    """The content after somebody typed: a few bytes or lines exchanged somewhere."""
    start = draw(st.integers(min_value=0, max_value=len(content)))
    end = draw(st.integers(min_value=start, max_value=min(len(content), start + 40)))
    typed = draw(st.one_of(st.binary(max_size=3), line, line.map(lambda text: text + b"\n"), st.just(b"\n"), st.just(b"")))
    return content[:start] + typed + content[end:]
