import contextlib
import io
import json
import unittest
from pathlib import Path

from hours.views import VIEWS
from tests.test_cli import hours

NOWHERE = Path("nowhere.tsv")


class ViewOptionTest(unittest.TestCase):
    def test_the_view_is_chosen_by_name(self):  # Req 3.1
        self.assertEqual(json.loads(hours(NOWHERE, "list", "--view", "json")), [])
        self.assertEqual(hours(NOWHERE, "list", "--view", "totals").split(), ["0:00", "total"])

    def test_without_the_option_the_table_is_shown(self):  # Req 3.2
        self.assertEqual(hours(NOWHERE, "list"), VIEWS["table"]([]))

    def test_an_unknown_name_ends_with_code_2_and_names_the_views(self):  # Req 3.3
        with contextlib.redirect_stderr(io.StringIO()) as said, self.assertRaises(SystemExit) as end:
            hours(NOWHERE, "list", "--view", "pie")
        self.assertEqual(end.exception.code, 2)
        for name in VIEWS:
            self.assertIn(name, said.getvalue())
