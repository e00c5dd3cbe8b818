import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread.spec.shell import always_succeeds

CANNOT_FAIL = [
    "",
    " ",
    "# pytest",
    "true",
    ":",
    "exit 0",
    "exit 0; pytest",
    "echo ok",
    "echo 'a b' && true",
    "printf done",
    "/bin/true",
    "env A=1 true",
    "A=1 true",
    "A=1",
    "command true",
    "pytest || true",
    "pytest || exit 0",
    "pytest || echo failed",
    "pytest; true",
    "pytest; exit 0",
    "pytest; echo $?",
    "pytest & ",
    "true && :",
    "pytest | echo",
    "! false",
    "(true)",
    "(pytest; true)",
    "{ pytest; true; }",
    "bash -c 'exit 0'",
    'sh -c "pytest || true"',
    "python -c 'pass'",
    "python3 -c ''",
    "python3.11 -c 'exit(0)'",
    "test 1",
    "[ 1 ]",
    "[ a = a ]",
    "test -z ''",
    "set -e; true",
    "false; true",
    "pytest 2>&1 || true",
    "echo $(pytest)",
    "echo `pytest`",
    "true # pytest",
    "pytest\ntrue",
    "pytest && make || true",
]
CAN_FAIL = [
    "pytest",
    "python -m unittest tests.test_a",
    "make test",
    "pytest && echo ok",
    "true && pytest",
    "pytest -k 'a || true'",
    "pytest || make",
    "exit 1",
    "exit",
    "exit $?",
    "pytest; exit",
    "pytest; exit $?",
    "false",
    "! true",
    "set -e; pytest; echo ok",
    "set -euo pipefail; pytest; true",
    "echo a | grep b",
    "test -f a.py",
    "[ -z $A ]",
    "[ a = b ]",
    "test ''",
    "(pytest)",
    "bash -c pytest",
    "bash run.sh",
    "python -c 'import app'",
    "python -c 'assert f()'",
    "if pytest; then true; else false; fi",
    "for t in a; do pytest $t; done",
    "grep ';' a && pytest",
    "echo 'unbalanced",
    "A=1 pytest",
    "env pytest",
    "true; pytest",
    "cd src && pytest",
    "pytest 2>&1 | tee log | grep passed",
    "npm test -- --run",
    "regression",
    "cargo test",
    "(((((((((((((((((((((((((true)))))))))))))))))))))))))",
]


@pytest.mark.parametrize("command", CANNOT_FAIL)
def test_a_command_that_cannot_fail_is_recognised(command):
    assert always_succeeds(command)


@pytest.mark.parametrize("command", CAN_FAIL)
def test_a_command_that_may_fail_is_left_alone(command):
    assert not always_succeeds(command)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize("command", [command for command in CANNOT_FAIL if "env " not in command])
def test_the_shell_agrees_when_every_unknown_program_fails(command, tmp_path):
    # Only builtins and these two exist here, so pytest and make fail as a red check would.
    (tmp_path / "python3.11").symlink_to("/bin/true")
    for name in ("python", "python3", "bash", "sh"):
        target = shutil.which("bash") if name.endswith("sh") else "/bin/true"
        (tmp_path / name).symlink_to(target)
    done = subprocess.run(["/bin/bash", "-c", command], env={"PATH": str(tmp_path)}, capture_output=True, check=False, cwd=tmp_path)
    assert done.returncode == 0


@given(st.text(alphabet="true&|;()!{} '\"$`\\\n#pex0<>=", max_size=60))
def test_no_command_makes_the_question_fail(command):
    assert always_succeeds(command) in {True, False}
