"""Role files of a person and of a repository: which count, over what, and what is said of those that cannot be used."""

import pytest

from specthread import config
from specthread.agents.role_file import own_roles
from specthread.daemon import parts_from, repository_settings
from specthread.model_settings import MessagesSettings
from support.git_fixture import make_repository

TESTER = "---\nmodel: small\ntools: read, search\n---\nThink of two callers.\n"


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


class Place:
    def __init__(self, folder):
        self.folder = folder
        self.repository = make_repository(folder / "repository", {"a.py": ""})
        self.environ = {"XDG_CONFIG_HOME": str(folder / "config"), "HOME": str(folder), "ANTHROPIC_API_KEY": "k"}

    def mine(self, name, text):
        write(self.folder / "config" / "specthread" / name, text)

    def theirs(self, name, text):
        write(self.repository / ".specthread" / "roles" / name, text)

    def load(self):
        return config.load(self.repository, self.environ)

    def role(self, name):
        settings = parts_from(self.folder / "state", self.environ).settings
        return settings.role(name, repository_settings(self.repository, self.environ))


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_without_files_a_role_is_as_specthread_brings_it(place):
    assert place.load().powers is None
    tester = place.role("tester")
    assert (tester.model, tester.tools, tester.prompt) == (MessagesSettings().implementer.model, None, None)


def test_a_file_of_the_repository_counts_once_its_very_words_are_allowed(place):
    place.theirs("tester.md", TESTER)
    powers = place.load().powers
    assert dict(powers.keys) == {"roles/tester.md": TESTER}
    assert place.role("tester").model != "small"
    config.allow(powers, place.environ)
    tester = place.role("tester")
    assert (tester.model, tester.tools, tester.prompt) == ("small", ("read", "search"), "Think of two callers.")
    assert not tester.may_use("shell")
    assert tester.may_use("read")
    assert tester.may_use("finish")
    place.theirs("tester.md", TESTER.replace("two", "three"))
    assert not place.load().powers.allowed
    assert place.role("tester").model != "small"


def test_a_persons_own_file_counts_at_once_and_over_that_of_the_repository(place):
    place.theirs("tester.md", "Theirs.")
    config.allow(place.load().powers, place.environ)
    place.mine("roles/tester.md", TESTER)
    assert place.role("tester").prompt == "Think of two callers."


def test_a_model_chosen_in_settings_counts_over_that_of_any_file(place):
    place.mine("roles/tester.md", TESTER)
    place.mine("config.toml", '[messages.tester]\nmodel = "large"\neffort = "low"\n')
    tester = place.role("tester")
    assert (tester.model, tester.effort, tester.prompt) == ("large", "low", "Think of two callers.")


def test_who_is_given_an_effort_alone_has_the_model_of_the_persons_implementer(place):
    place.mine("config.toml", '[messages.implementer]\nmodel = "local"\n[messages.tester]\neffort = "low"\n')
    assert (place.role("tester").model, place.role("tester").effort) == ("local", "low")


def test_a_file_without_a_word_changes_the_model_and_not_what_is_told(place):
    place.mine("roles/backend.md", "---\nmax_turns: 9\n---\n")
    backend = place.role("backend")
    assert (backend.max_turns, backend.prompt) == (9, None)
    assert own_roles()["backend"].prompt


def test_a_role_that_specthread_does_not_know_can_be_added(place):
    place.mine("roles/security.md", "---\neffort: high\n---\nThink of an attacker.\n")
    security = place.role("security")
    assert (security.model, security.effort) == (MessagesSettings().implementer.model, "high")
    assert security.prompt == "Think of an attacker."


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("tester.md", "---\ntools: [serch]\n---\n", "There is no tool `serch`."),
        ("Tester One.md", "x", "A role is named in small letters"),
        ("tester.md", "x" * 70_000, "It is longer than 65536 bytes. The role was left out."),
    ],
)
def test_a_file_that_cannot_be_used_is_left_out_and_named(place, name, text, words):
    place.theirs(name, text)
    (problem,) = place.load().problems
    assert words in problem.message
    assert problem.file.endswith(name)
    assert place.load().powers is None


def test_neither_a_link_nor_a_folder_nor_bytes_are_a_role(place):
    roles = place.repository / ".specthread" / "roles"
    (roles / "folder.md").mkdir(parents=True)
    (place.folder / "secret").write_text("key")
    (roles / "link.md").symlink_to(place.folder / "secret")
    (roles / "bytes.md").write_bytes(b"\xff\xfe")
    (roles / "README.md").write_text("Our roles.")
    loaded = place.load()
    assert {problem.file.rpartition("/")[2]: problem.message for problem in loaded.problems} == {
        "bytes.md": "It is not UTF-8 text. The role was left out.",
        "folder.md": "It is no file. The role was left out.",
        "link.md": "It cannot be read: Too many levels of symbolic links. The role was left out.",
    }
    assert loaded.powers is None
