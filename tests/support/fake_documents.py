"""A small spec that is fit to be approved."""

REQUIREMENTS = b"""# Requirements

### Requirement 1: JSON output

**User Story:** As a user, I want JSON, so that programs can read it.

#### Acceptance Criteria

1. WHEN the user passes `--json`, THE tool SHALL print one JSON document.
"""
DESIGN = b"# Design\n\n## Overview\n\nOne function writes the document.\n"
TASKS = b"""# Tasks

- [ ] 1. Write the encoder
  - _Requirements: 1.1_
  - _Files: src/encode.py_
  - _Check: python -m unittest test_encode_
- [ ] 2. Add the option
  - _Requirements: 1.1_
  - _Depends: none_
  - _Check: python -m unittest test_option_
- [ ] 3. Write it down
  - _Requirements: 1.1_
  - _Depends: 1, 2_
  - _Check: python -m unittest test_words_
"""
