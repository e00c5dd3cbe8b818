from __future__ import annotations

import json

import pytest

from support.fake_documents import DESIGN, REQUIREMENTS, TASKS

GOOD = {"requirements.md": REQUIREMENTS, "design.md": DESIGN, "tasks.md": TASKS}


@pytest.fixture
def spec(environ):
    folder = environ / "work" / ".specs" / "add-json-7k3f"
    folder.mkdir(parents=True)
    for name, content in GOOD.items():
        (folder / name).write_bytes(content)
    return folder


def test_a_spec_without_mistakes_passes_and_a_folder_above_it_is_enough(spec, cli):
    assert (cli("check").out, cli("check").code) == ("No problems.\n", 0)


def test_a_mistake_is_told_with_file_line_and_code_and_exit_code_1(spec, cli):
    (spec / "requirements.md").write_bytes(REQUIREMENTS.replace(b"THE tool SHALL print", b"the tool prints"))
    said = cli("check")
    assert said.code == 1
    assert said.out.startswith(".specs/add-json-7k3f/requirements.md:9:1: ears/no-shall ")
    problem = cli("check", str(spec), "--format", "json").json["problems"][0]
    assert (problem["document"], problem["line"], problem["severity"]) == ("requirements", 9, "error")


def test_a_circle_of_tasks_is_found_by_check_and_plan(spec, cli):
    (spec / "tasks.md").write_bytes(TASKS.replace(b"  - _Depends: none_", b"  - _Depends: 3_"))
    assert "plan/cycle" in cli("check").out
    said = cli("plan", str(spec))
    assert said.code == 1
    assert "2 → 3 → 2" in said.json["problems"][0]["message"]


def test_plan_prints_waves_for_a_file_or_a_folder(spec, cli):
    for path in (spec, spec / "tasks.md"):
        said = cli("plan", str(path), "--json")
        assert (said.code, said.json["waves"], said.json["nodes"]) == (0, [["1", "2"], ["3"]], 3)


def test_plan_tells_the_speed_up_of_so_many_sessions_and_refuses_none(spec, cli):
    assert cli("plan", str(spec), "--max-parallel", "1").json["speed_up"] == 1
    said = cli("plan", str(spec), "--max-parallel", "0")
    assert (said.code, "at least 1" in said.err) == (2, True)


def test_plan_shows_a_page_on_a_terminal(spec, cli, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    page = cli("plan", str(spec)).out
    assert page.startswith("3 tasks, ")
    assert "wave 2\n  ▸ 3. " in page
    assert "longest chain  " in page


def test_inspect_prints_the_model_whatever_is_wrong(spec, cli):
    (spec / "requirements.md").write_bytes(b"# Nothing\n")
    said = cli("inspect", str(spec))
    assert said.code == 0
    assert said.json["dialect"] == "specthread"
    assert [task["id"] for task in said.json["tasks"]] == ["1", "2", "3"]
    assert said.json["problems"]


def test_no_daemon_is_started_for_files(spec, cli, environ):
    for verb in ("check", "inspect", "plan"):
        cli(verb, str(spec))
    assert not (environ / "state").exists()


def test_a_file_that_is_no_text_is_checked_all_the_same(spec, cli):
    (spec / "design.md").write_bytes(bytes(range(256)))
    assert json.loads(cli("check", "--json").out)["problems"] is not None


def test_an_approval_of_other_words_is_told_where_its_record_lies_beside_them(spec, cli):
    (spec / "spec-metadata.json").write_text('{"versions": [{"number": 1, "digests": {"design": "0"}}]}')
    assert [each["code"] for each in cli("check", "--json").json["problems"]] == ["approval/void"]
    (spec / "spec-metadata.json").write_bytes(b"\xff")
    assert cli("check").code == 0
