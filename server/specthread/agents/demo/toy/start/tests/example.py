"""A small timesheet for the tests."""

from datetime import date

from hours.entry import Entry

ENTRIES = [
    Entry(date(2026, 3, 2), "invoices", 45, "February"),
    Entry(date(2026, 3, 2), "website", 90, "navigation"),
    Entry(date(2026, 3, 3), "website", 120),
]
