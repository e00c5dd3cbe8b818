import unittest
from pathlib import Path

from hours.views import VIEWS

README = Path(__file__).parents[1] / "README.md"


class ReadmeTest(unittest.TestCase):
    def test_every_view_is_named_with_its_option(self):  # Req 3.4
        for name in VIEWS:
            with self.subTest(view=name):
                self.assertIn(f"--view {name}", README.read_text())
