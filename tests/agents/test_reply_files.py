"""Files that models write into their words, in the forms in which models write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread.agents.reply_files import ReplyFile, blocks_in, files_in


def written(text, *expected):
    return [(file.path, file.text) for file in files_in(text, expected)]


@pytest.mark.parametrize(
    "opening",
    [
        "```filepath:src/a.ts",
        "```filepath: src/a.ts",
        "```typescript filepath:src/a.ts",
        '```ts title="src/a.ts"',
        "```ts {file=src/a.ts}",
        "```typescript:src/a.ts",
        "```ts src/a.ts",
        "```src/a.ts",
        "~~~~ts filename=src/a.ts",
    ],
)
def test_a_block_that_names_its_file_is_that_file(opening):
    fence = opening[: 4 if opening.startswith("~") else 3]
    assert written(f"Here:\n\n{opening}\nexport const a = 1;\n{fence}\n") == [("src/a.ts", "export const a = 1;\n")]


@pytest.mark.parametrize(
    ("language", "comment", "path"),
    [
        ("typescript", "// src/models/Product.ts", "src/models/Product.ts"),
        ("ts", "// File: src/routes/[id].ts", "src/routes/[id].ts"),
        ("python", "# src/app/__init__.py", "src/app/__init__.py"),
        ("sql", "-- migrations/001_create_products.sql", "migrations/001_create_products.sql"),
        ("html", "<!-- index.html -->", "index.html"),
        ("css", "/* styles/main.css */", "styles/main.css"),
        ("", "# Makefile", "Makefile"),
        ("ini", "; setup.cfg", "setup.cfg"),
    ],
)
def test_a_comment_in_the_first_line_names_the_file_and_is_no_part_of_it(language, comment, path):
    assert written(f"```{language}\n{comment}\nrest\n```") == [(path, "rest\n")]


@pytest.mark.parametrize(
    "above", ["**src/a.py**", "`src/a.py`:", "### src/a.py", "1. File: `src/a.py` (new)", "Create src/a.py:", "- **`src/a.py`**:"]
)
def test_the_line_above_names_the_file(above):
    assert written(f"Some words.\n\n{above}\n\n```python\na = 1\n```") == [("src/a.py", "a = 1\n")]


def test_a_name_is_inferred_from_what_the_task_expects_in_that_language_else_made():
    text = "```python\na = 1\n```\n\n```sql\nSELECT 1;\n```\n"
    assert written(text, "README.md", "src/a.py", "db/one.sql") == [("src/a.py", "a = 1\n"), ("db/one.sql", "SELECT 1;\n")]
    assert files_in(text) == (
        ReplyFile(path="generated_1.py", text="a = 1\n", is_guessed=True),
        ReplyFile(path="generated_2.sql", text="SELECT 1;\n", is_guessed=True),
    )


def test_several_blocks_are_several_files_and_the_later_of_two_counts():
    text = "```filepath:a.py\none\n```\nand\n```filepath:b.py\ntwo\n```\nBetter:\n```filepath:a.py\nthree\n```\n"
    assert written(text) == [("a.py", "three\n"), ("b.py", "two\n")]


def test_examples_commands_output_and_differences_are_no_files():
    text = "```filepath:a.py\none\n```\nUse it so:\n```python\nimport a\n```\n```bash\nmake test\n```\n```\n3 passed\n```\n```diff\n-a\n+b\n```\n"
    assert written(text) == [("a.py", "one\n")]
    assert written("```bash\nmake test\n```\n```\n3 passed\n```\n```diff\n-a\n+b\n```\n") == []


def test_a_document_keeps_the_blocks_inside_it():
    inner = "# Use\n\n```python\nimport a\n```\n\nEnd."
    assert written(f"```markdown filepath:README.md\n{inner}\n```\n") == [("README.md", f"{inner}\n")]
    assert written("````md\n<!-- README.md -->\n```\nplain\n```\n````\n") == [("README.md", "```\nplain\n```\n")]


@pytest.mark.parametrize("text", ["```filepath:a.py\nonly half", "```filepath:a.py", "no code at all", ""])
def test_a_block_that_was_cut_is_no_file(text):
    assert written(text) == []


def test_a_block_in_a_list_is_as_if_it_stood_alone_and_odd_characters_stay():
    assert written("1. First\n\n   ```filepath:a.py\n   if x:\n       y\n   ```\n") == [("a.py", "if x:\n    y\n")]
    assert written("```filepath:a.py\r\none\x0c\u2028two\r\n```\r\n") == [("a.py", "one\x0c\u2028two\n")]
    assert written("Say ```a.py``` in words.\n") == []


def test_a_very_long_line_is_looked_at_in_no_time():
    assert written("-.1" * 100_000 + "\n```text\n" + "# a/" * 100_000 + "\n```\n") == []


def test_an_empty_file_is_a_file():
    assert written("```filepath:src/__init__.py\n```") == [("src/__init__.py", "")]


@given(st.text(alphabet='`~\n filepath:a.y/#-*tool{}"', max_size=200))
def test_any_words_are_read_without_an_error_and_every_file_has_a_name(text):
    assert all(file.path for file in files_in(text, ("a.py",)))
    assert all("\n" not in block.info for block in blocks_in(text))
