import pytest
from hypothesis import given
from hypothesis import strategies as st

from specgit.errors import UnsafePath
from specgit.session_log import summary_path, turn_path
from specgit.types import danger_of, is_own_ref, spec_refs, validate_path


def test_the_refs_of_a_spectask_have_the_names_of_the_design():
    refs = spec_refs("add-json-output-7k3f")
    assert refs.specs == "refs/heads/spectask/add-json-output-7k3f/specs"
    assert refs.feature == "refs/heads/spectask/add-json-output-7k3f/feature"
    assert refs.session(2) == "refs/heads/spectask/add-json-output-7k3f/ws-2"
    assert refs.tag(1) == "refs/tags/spectask/add-json-output-7k3f/v1"
    assert refs.archive("ws-2", "1") == "refs/specthread/archive/add-json-output-7k3f/ws-2/1"
    assert refs.pending("e-12") == "refs/specthread/pending/add-json-output-7k3f/e-12"
    assert refs.conflicts("design.md", "theirs") == "refs/specthread/conflicts/add-json-output-7k3f/design.md/theirs"
    assert all(map(is_own_ref, (refs.specs, refs.tag(1), refs.pending("x"))))
    assert not is_own_ref("refs/heads/main")


@pytest.mark.parametrize("task_id", ["", "-x", "Upper", "a/b", "a.b", "a b", "x" * 64, "ä", "a\n"])
def test_a_task_id_that_cannot_be_part_of_a_ref_is_refused(task_id):
    with pytest.raises(UnsafePath):
        spec_refs(task_id)


@pytest.mark.parametrize("part", ["", "..", "a..b", "x.lock", "-x", "a b", "a~1", "a/", "x."])
def test_a_private_ref_with_a_part_that_git_refuses_is_refused(part):
    with pytest.raises(UnsafePath):
        spec_refs("a").archive(part)


@pytest.mark.parametrize("path", ["a", ".specs/a-7k3f/requirements.md", "docs/日本語.md", "a b/c", ".github/x.yml", ".gitignore", "git~x"])
def test_an_ordinary_path_is_accepted_as_it_is(path):
    assert validate_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        *["", "/etc/passwd", "a//b", "a/", ".", "..", "../evil", "a/../b", "a/./b", "a\0b", "a\nb", "a\\b", "x" * 201],
        *[
            ".git",
            ".git/config",
            "a/.git/x",
            ".GIT/hooks/x",
            ".Git",
            ".git ",
            ".git.",
            ".git . .",
            "git~1",
            "GIT~2/x",
            ".git:x",
            ".git::$DATA",
        ],
        *[".g\u200cit/config", "\ufeff.git", "cafe\u0301.md", ".git\\config", "a\x7f", "\udc80"],
    ],
)
def test_a_path_that_could_harm_a_repository_somewhere_is_refused(path):
    with pytest.raises(UnsafePath, match="Choose another name"):
        validate_path(path)


@given(st.text(max_size=12))
def test_a_valid_path_has_no_dangerous_part(path):
    try:
        valid = validate_path(path)
    except UnsafePath:
        return
    assert valid == path
    assert not any(map(danger_of, path.split("/")))


def test_the_turns_of_a_session_lie_in_a_folder_per_hundred():
    assert turn_path("a-7k3f", "ws-1", 1) == ".specs/a-7k3f/sessions/ws-1/00/0001.md"
    assert turn_path("a-7k3f", "plan-1", 99) == ".specs/a-7k3f/sessions/plan-1/00/0099.md"
    assert turn_path("a-7k3f", "ws-1", 100) == ".specs/a-7k3f/sessions/ws-1/01/0100.md"
    assert summary_path("a-7k3f", "ws-1") == ".specs/a-7k3f/sessions/ws-1.md"
