from __future__ import annotations

from pathlib import Path

from specthread.protocol import wire
from specthread.protocol.typescript import protocol_ts

WRITTEN = Path(__file__).parents[2] / "editors" / "protocol.ts"


def test_the_file_editors_are_built_with_is_the_wire_as_it_is():
    assert WRITTEN.read_text() == protocol_ts(), "run `make protocol` and look at the difference"


def test_what_may_be_left_out_of_a_request_is_optional_and_answers_are_whole():
    written = protocol_ts()
    assert "export interface NewParams {\n  path: string;\n  from_spec?: string;\n  prompt?: string;\n  flow?: " in written
    assert "export interface HistoryResult {\n  events: EventView[];\n  more: boolean;\n}" in written


def test_every_method_and_notification_is_in_the_tables():
    written = protocol_ts()
    assert all(f'"{name}": {{ params: ' in written for name in wire.METHODS)
    assert all(f'  "{name}": ' in written for name in wire.NOTIFICATIONS)
