import tempfile
import unittest
from pathlib import Path

from hours.sheet import append, load
from tests.example import ENTRIES


class SheetTest(unittest.TestCase):
    def test_what_was_added_is_read_back(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "hours.tsv")
            for entry in ENTRIES:
                append(path, entry)
            self.assertEqual(load(path), ENTRIES)

    def test_a_missing_file_is_an_empty_timesheet(self):
        self.assertEqual(load(Path("nowhere.tsv")), [])
