import json
import unittest

from hours.views import VIEWS
from tests.example import ENTRIES


class JsonViewTest(unittest.TestCase):
    def test_every_entry_is_written_with_all_its_fields(self):  # Req 1.1
        first, *others = json.loads(VIEWS["json"](ENTRIES))
        self.assertEqual(first, {"day": "2026-03-02", "project": "invoices", "minutes": 45, "note": "February"})
        self.assertEqual(len(others), 2)

    def test_an_empty_timesheet_is_an_empty_list(self):  # Req 1.2
        self.assertEqual(json.loads(VIEWS["json"]([])), [])
