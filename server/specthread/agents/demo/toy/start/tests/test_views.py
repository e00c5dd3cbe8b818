import unittest

from hours.views import VIEWS, table
from tests.example import ENTRIES


class ViewsTest(unittest.TestCase):
    def test_every_view_ends_its_text_with_one_newline(self):
        for name, view in VIEWS.items():
            for entries in (ENTRIES, []):
                with self.subTest(view=name, entries=len(entries)):
                    self.assertRegex(view(entries), r"\A(?:[\s\S]*[^\n])?\n\Z")

    def test_the_table_ends_with_the_total(self):
        self.assertEqual(table(ENTRIES).splitlines()[-1].split(), ["total", "4:15"])
