import unittest

from hours.entry import duration, minutes_of


class TimeTest(unittest.TestCase):
    def test_hours_and_minutes_are_added_up(self):
        self.assertEqual([minutes_of(text) for text in ("2h", "1h30", "45m")], [120, 90, 45])

    def test_other_words_are_refused(self):
        for text in ("", "soon", "1:30"):
            with self.assertRaises(ValueError):
                minutes_of(text)

    def test_a_duration_reads_like_a_clock(self):
        self.assertEqual(duration(65), "1:05")
