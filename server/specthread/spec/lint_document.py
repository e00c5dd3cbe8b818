"""Rules about a document as a text, whatever it holds."""

from collections.abc import Callable, Iterator
from typing import Final

from specthread.spec.document import BUGFIX, DESIGN, REQUIREMENTS, TASKS, Change, DocumentName, Fix, Problem, whole_line
from specthread.spec.questions import open_question_rule
from specthread.spec.rules import problem_at
from specthread.spec.source import Source

_LONGEST: Final = {REQUIREMENTS: 1_000, DESIGN: 2_000, TASKS: 1_500, BUGFIX: 1_000}


def _not_utf8(_name: DocumentName, source: Source) -> Iterator[Problem]:
    if _is_utf8(source.content):
        return
    broken = next(index for index, line in enumerate(source.lines) if any("\udc80" <= char <= "\udcff" for char in line.text))
    message = "This line holds bytes that are not UTF-8. Save the document as UTF-8."
    yield problem_at("document/not-utf8", message, whole_line(broken + 1))


def _is_utf8(content: bytes) -> bool:
    if content.isascii():
        return True
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _too_long(name: DocumentName, source: Source) -> Iterator[Problem]:
    limit = _LONGEST.get(name, _LONGEST[DESIGN])
    if len(source.lines) > limit:
        message = f"The document has {len(source.lines)} lines; hardly anybody reviews more than {limit} with care. Split the SpecTask."
        yield problem_at("document/too-long", message, whole_line(1))


def _unclosed_fence(_name: DocumentName, source: Source) -> Iterator[Problem]:
    if (index := source.unclosed_fence) is not None:
        line = source.lines[index]
        run = "`" * 3 if "```" in line.text else "~" * 3
        end = (len(source.lines), len(source.lines[-1].text))
        fix = Fix("Close the fence at the end", (Change(end, end, f"\n{run}"),))
        message = "This code fence is never closed and read as text. Close it below the code."
        yield problem_at("document/unclosed-fence", message, whole_line(index + 1), fix)


DocumentRule = Callable[[DocumentName, Source], Iterator[Problem]]

DOCUMENT_RULES: Final[tuple[DocumentRule, ...]] = (_not_utf8, _too_long, _unclosed_fence, open_question_rule)
