"""Hypothesis strategies for documents that look like specs, and for bytes that look like nothing."""

from hypothesis import strategies as st

_LINES = (
    b"# Tasks", b"## Notes", b"### Requirement 1: one", b"### Requirement 2", b"### Requirement 1: again", b"#### Acceptance Criteria",
    b"**User Story:** As a user, I want it", b"1. WHEN a, THE cli SHALL b", b"2. THE cli SHALL c", b"   wrapped", b"1.3 THE cli SHALL d",
    b"- [ ] 1. first", b"- [x] 2. second", b"  - [-] 2.1 child", b"- [~]* 2.2 optional", b"    - [ ] 2.1.1 deep", b"- [?] 3. odd",
    b"- [ ] no number", b"\t- [X] 7.1 tab", b"  - _Requirements: 1.1-1.9, R2, all_", b"  - _Depends: 1, 2.1_", b"  - _Depends: none_",
    b"  - _Check: pytest || true_ _Files: a.py, b_", b"  - _Files: a.py,", b"    b.py_", b"  - **Validates: Requirements 1.2**",
    b"```", b"~~~~", b"```python", b"<!--", b"-->", b"<!-- specthread:1 -->", b"<!--? why -->", b"<!--? two", b"text <!-- open", b"---", b"key: value",
    b"", b" ", b"plain text", b"\xe4\xb8\x80\xe8\xa6\xa7 \xf0\x9f\x8e\x89", b"\xff\xfe broken", b"- [", b"- [ ]", b"- [ ] 1.", b"  - _Requirements: 1.1",
)  # fmt: skip

line = st.one_of(st.sampled_from(_LINES), st.binary(max_size=12))
ending = st.sampled_from((b"\n", b"\r\n", b"\r"))


@st.composite
def documents(draw, max_lines=30):
    pieces = draw(st.lists(st.tuples(line, ending), max_size=max_lines))
    mark = draw(st.sampled_from((b"", b"", b"\xef\xbb\xbf")))
    return mark + b"".join(text + end for text, end in pieces) + draw(st.sampled_from((b"", b"no final newline", b"- [ ] 9. last")))
