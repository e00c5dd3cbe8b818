from specthread.spec.dialects import detect
from specthread.spec.document import DESIGN, REQUIREMENTS, TASKS
from specthread.spec.edits import apply_edits, boxes, set_box
from specthread.spec.lint import lint
from specthread.spec.remarks import take_remarks
from specthread.spec.report_json import inspect_value
from specthread.spec.source import scan
from support.corpus import CORPUS, FILES, needs_corpus


@needs_corpus
def test_every_real_document_is_read_and_given_back_byte_by_byte():
    for path in FILES:
        content = path.read_bytes()
        source = scan(content)
        assert b"".join((line.text + line.ending).encode("utf-8", "surrogateescape") for line in source.lines) == content, path
        assert take_remarks(content) == (content, ()), path
        problems = lint({REQUIREMENTS: content, DESIGN: content, TASKS: content})
        ends = [len(line.text) for line in source.lines] or [0]
        assert all(0 <= problem.span.start <= problem.span.end <= ends[problem.line - 1] for problem in problems), path


@needs_corpus
def test_ticking_and_unticking_every_open_box_of_a_real_document_gives_it_back():
    for path in FILES:
        content = path.read_bytes()
        for task_id, state in list(boxes(content).items())[:20]:
            if state == "todo":
                ticked = apply_edits(content, set_box(content, task_id, "done"))
                assert apply_edits(ticked, set_box(ticked, task_id, "todo")) == content, (path, task_id)


@needs_corpus
def test_the_dialect_of_a_real_tasks_file_is_told_by_its_own_folder():
    folders = {"kiro": ".kiro/specs", "speckit": "specs", "openspec": "openspec/changes", "specworkflow": ".spec-workflow/specs"}
    expected = {"kiro": {"kiro", "cc-sdd"}, "speckit": {"spec-kit"}, "openspec": {"openspec"}, "specworkflow": {"spec-workflow"}}
    for path in FILES:
        family, _, name, *rest = path.relative_to(CORPUS).parts
        inside = "/".join((folders[family], "001-spec" if family == "speckit" else name, *rest))
        assert detect(inside, path.read_bytes()) in expected[family], path


@needs_corpus
def test_the_tasks_of_a_known_kiro_document_are_all_found():
    [path] = CORPUS.glob("kiro/9mak__oneco/animal-identity-fields/tasks.md")
    tasks = inspect_value({TASKS: path.read_bytes()})["tasks"]
    written = [line for line in path.read_text("utf-8").splitlines() if line.lstrip().startswith("- [")]
    assert len(tasks) == len(written)
    assert [(task["id"], task["line"]) for task in tasks if task["state"] == "queued"] == [("4", 119)]
