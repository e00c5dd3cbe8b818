import unittest

from hours.views import VIEWS
from tests.example import ENTRIES


class TotalsViewTest(unittest.TestCase):
    def test_each_project_has_one_line_ORDER(self):  # Req 2.1
        lines = [line.split() for line in VIEWS["totals"](ENTRIES).splitlines()]
        self.assertEqual(lines[:-1], EXPECTED)

    def test_the_last_line_is_the_total_of_all_projects(self):  # Req 2.2
        self.assertEqual(VIEWS["totals"](ENTRIES).splitlines()[-1].split(), ["4:15", "total"])

    def test_an_empty_timesheet_has_only_the_total(self):
        self.assertEqual(VIEWS["totals"]([]).split(), ["0:00", "total"])
