"""Documents that were counted by reading, before any parser had read them."""

import hashlib
import json
from pathlib import Path

import pytest

from specthread.spec.dialects import detect, document_of
from specthread.spec.document import DocumentName
from specthread.spec.report_json import inspect_value
from support.corpus import CORPUS, home_of, needs_corpus

COUNTED = sorted((Path(__file__).parent / "counted").glob("*.json"))


def kept(text):
    """Words of a document are not repeated in this repository."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()[:16]}" if " " in text.strip() else text


@needs_corpus
@pytest.mark.parametrize("path", COUNTED, ids=lambda path: path.stem)
def test_inspect_says_what_a_reader_counted(path):
    counted = json.loads(path.read_text("utf-8"))
    file = CORPUS / counted["path"]
    content = file.read_bytes()
    assert hashlib.sha256(content).hexdigest() == counted["sha256"]
    assert document_of(file.name)
    said = inspect_value({DocumentName(file.stem): content}, detect(home_of(file), content))
    assert said["dialect"] == counted["dialect"]
    assert [
        {
            "id": kept(each["id"]),
            "line": each["line"],
            "criteria": [[kept(criterion["id"]), criterion["line"], criterion["pattern"]] for criterion in each["criteria"]],
        }
        for each in said["requirements"]
    ] == counted["requirements"]
    keys = ("id", "parent", "state", "optional", "line", "requires", "requires_written", "depends", "depends_source")
    assert [
        {**{key: each[key] for key in keys}, "requires": [kept(name) for name in each["requires"]]}
        | {"requires_written": [kept(name) for name in each["requires_written"]]}
        for each in said["tasks"]
    ] == counted["tasks"]
