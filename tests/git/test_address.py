"""Only an address that can do nothing but name a repository is used."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specgit.address import address_of, remote_url
from specgit.remote_errors import BadAddress
from support.git_fixture import git

GOOD = [
    ("https://github.com/ada/calc.git", "https", "github.com", "ada/calc"),
    ("https://github.com/ada/calc", "https", "github.com", "ada/calc"),
    ("https://ada:secret@Git.Example.org:8443/group/sub/calc.git/", "https", "git.example.org", "group/sub/calc"),
    ("git@github.com:ada/calc.git", "ssh", "github.com", "ada/calc"),
    ("github.com:ada/calc.git", "ssh", "github.com", "ada/calc"),
    ("ssh://git@git.example.org:2222/ada/calc.git", "ssh", "git.example.org", "ada/calc"),
]
BAD = """
ext::sh -c touch% /tmp/x
ext::sh
fd::17
--upload-pack=touch
-oProxyCommand=touch:x
https://-host/x
ssh://-oProxyCommand=touch/x
ssh://git@-oProxyCommand=touch/x
git@-oProxyCommand=touch:x
host:-x
git://github.com/ada/calc
http://github.com/ada/calc
ftp://github.com/ada/calc
file:///srv/calc
/srv/calc
../calc
https://github.com
https://github.com/
https:///x
calc
""".strip().splitlines()


@pytest.mark.parametrize(("url", "protocol", "host", "path"), GOOD)
def test_an_address_says_where_it_leads(url, protocol, host, path):
    found = address_of(url)
    assert (found.protocol, found.host, found.path, found.url) == (protocol, host, path, url)


@pytest.mark.parametrize("url", [*BAD, "", "https://github.com/a b", "https://github.com/a\nb", "https://x/" + "a" * 3000])
def test_an_address_that_could_do_more_is_refused(url):
    with pytest.raises(BadAddress, match="no address that is pushed to"):
        address_of(url)


def test_a_folder_counts_only_where_it_is_asked_for():
    assert address_of("/srv/calc", protocols=("file",)).path == "/srv/calc"
    assert address_of("file:///srv/calc", protocols=("https", "file")).path == "/srv/calc"


@given(secret=st.integers(10**12, 10**20), user=st.sampled_from(["", "ada:"]))
def test_credentials_are_never_shown(secret, user):
    found = address_of(f"https://{user}{secret}@github.com/ada/calc")
    assert found.shown == "https://github.com/ada/calc"
    with pytest.raises(BadAddress) as refused:
        address_of(f"gopher://{user}{secret}@github.com/ada/calc")
    assert str(secret) not in str(refused.value)


@given(url=st.text(max_size=60))
def test_no_text_becomes_an_option_or_a_program(url):
    try:
        found = address_of(url)
    except BadAddress:
        return
    assert not url.startswith("-")
    assert "::" not in url.partition("/")[0]
    assert not found.host.startswith("-")


def test_a_remote_is_known_by_its_name_and_pushes_where_git_would(checkout, repository):
    assert remote_url(repository.runner, "origin") is None
    git(checkout, "config", "remote.origin.url", "https://github.com/ada/calc")
    assert remote_url(repository.runner, "origin") == "https://github.com/ada/calc"
    git(checkout, "config", "remote.origin.pushurl", "git@github.com:ada/calc")
    assert remote_url(repository.runner, "origin") == "git@github.com:ada/calc"
    assert remote_url(repository.runner, "--global") is None
    assert remote_url(repository.runner, "a b") is None
