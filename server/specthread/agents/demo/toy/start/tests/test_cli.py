import contextlib
import io
import tempfile
import unittest
from pathlib import Path

from hours.cli import main


def hours(file: Path, *arguments: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        main(["--file", str(file), *arguments])
    return out.getvalue()


class CommandLineTest(unittest.TestCase):
    def test_an_entry_that_was_added_is_listed(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "hours.tsv")
            hours(file, "add", "website", "1h30", "navigation", "--day", "2026-03-02")
            self.assertIn("2026-03-02    1:30  website       navigation", hours(file, "list"))
