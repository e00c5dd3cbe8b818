"""Pull requests on a fake GitHub and a fake GitLab that speak REST over loopback."""

import itertools
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from email.utils import formatdate

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specgit import forge_rest
from specgit.address import address_of
from specgit.forge import PUBLIC, Check, Draft, PullRequest, Review, connect, forge_of, own_host
from specgit.remote_errors import ForgeBroken, ForgeError, NotFound, NotPermitted, NotTaken, RateLimited, TokenRefused, Unreachable
from support import octokit
from support.fake_forge import HEAD, TOKEN, FakeForge, Fault

BRANCH = "spectask/add-7k3f/feature"
DRAFT = Draft(title="Add it", body="Why", head=BRANCH, base="main")


@pytest.fixture(params=["github", "gitlab"])
def kind(request):
    return request.param


@asynccontextmanager
async def forges(kind, *, token=TOKEN, **values):
    async with FakeForge(kind=kind, **values) as fake:
        forge = connect(fake.address, token)
        try:
            yield fake, forge
        finally:
            await forge.close()


async def test_a_draft_is_opened_with_its_words(kind):
    async with forges(kind) as (fake, forge):
        found = await forge.open_draft(DRAFT)
        (pull,) = fake.pulls
        assert (pull.title, pull.body, pull.branch, pull.base, pull.draft) == ("Add it", "Why", BRANCH, "main", True)
        place = "pull" if kind == "github" else "-/merge_requests"
        url = f"https://forge.example.org/ada/calc/{place}/7"
        assert found == PullRequest(number=7, url=url, state="open", draft=True, head=HEAD, branch=BRANCH, body="Why")
        assert TOKEN not in repr(found)
        assert len(fake.requests) == 1


async def test_one_from_a_fork_with_a_branch_of_the_same_name_is_not_ours(kind):
    async with forges(kind) as (fake, forge):
        fake.add(BRANCH, home="mallory/calc", body="Theirs")
        assert await forge.find(BRANCH) is None
        ours = fake.add(BRANCH)
        found = await forge.find(BRANCH)
        assert found is not None
        assert found.number == ours.number


async def test_a_second_one_is_not_opened_but_found(kind):
    async with forges(kind) as (fake, forge):
        for number in range(3):
            fake.add(BRANCH, state="closed", title=f"Old {number}")
        known = fake.add(BRANCH, body="Theirs")
        fake.add("other")
        fake.add(BRANCH, state="closed")
        found = await forge.open_draft(DRAFT)
        assert (found.number, found.body) == (known.number, "Theirs")
        assert known.body == "Theirs"


async def test_the_open_one_is_found_behind_many_pages_else_the_newest(kind):
    async with forges(kind, page=2) as (fake, forge):
        assert await forge.find(BRANCH) is None
        first = fake.add(BRANCH)
        for _ in range(6):
            last = fake.add(BRANCH, state="closed")
        assert (await forge.find(BRANCH)).number == first.number
        first.merged, first.state = True, "closed"
        assert (await forge.find(BRANCH)).number == last.number
        assert (await forge.read(first.number)).state == "merged"
        assert (await forge.read(last.number)).state == "closed"


async def test_a_body_is_replaced_and_nothing_else(kind):
    async with forges(kind) as (fake, forge):
        pull = fake.add(BRANCH, title="A human's title")
        await forge.update_body(pull.number, "New")
        assert (pull.body, pull.title, pull.draft) == ("New", "A human's title", False)
        assert (await forge.read(pull.number)).body == "New"


async def test_github_tells_checks_and_reviews_of_all_pages():
    async with forges("github") as (fake, forge):
        fake.add(BRANCH)
        outcomes = ["success", "neutral", "skipped", "failure", "timed_out", "cancelled", "action_required"]
        fake.runs = [{"name": f"run {each}", "status": "completed", "conclusion": each} for each in outcomes]
        fake.runs.append({"name": "run going", "status": "in_progress", "conclusion": None})
        fake.statuses = [{"context": f"old {each}", "state": each} for each in ("success", "pending", "failure", "error")]
        said = [("ada", "CHANGES_REQUESTED"), ("bob", "APPROVED"), ("ada", "APPROVED"), ("ada", "COMMENTED"), ("cleo", "APPROVED")]
        said += [("cleo", "DISMISSED"), ("dan", "COMMENTED"), ("eve", "APPROVED"), ("eve", "CHANGES_REQUESTED")]
        fake.reviews = [{"user": {"login": who}, "state": what} for who, what in said] + [{"user": None, "state": "APPROVED"}]
        status = await forge.status(7)
        states = {each.name: each.state for each in status.checks}
        assert {name.split()[1] for name, state in states.items() if state == "passing"} == {"success", "neutral", "skipped"}
        assert {name for name, state in states.items() if state == "pending"} == {"run going", "old pending"}
        assert len(states) == 12
        assert status.reviews == (
            Review(person="ada", verdict="approved"),
            Review(person="bob", verdict="approved"),
            Review(person="eve", verdict="changes_requested"),
            Review(person="ghost", verdict="approved"),
        )


async def test_a_token_that_may_not_read_checks_still_tells_the_rest():
    async with forges("github") as (fake, forge):
        fake.add(BRANCH)
        fake.runs = [{"name": "unit", "status": "completed", "conclusion": "failure"}]
        fake.statuses = [{"context": "old", "state": "success"}]
        fake.reviews = [{"user": {"login": "bob"}, "state": "APPROVED"}]
        said = {"message": "Resource not accessible by personal access token"}
        fake.faults.append(Fault(when="check-runs", status=403, body=said))
        status = await forge.status(7)
        assert status.checks == (Check(name="old", state="passing"),)
        assert status.reviews == (Review(person="bob", verdict="approved"),)


async def test_gitlab_tells_the_jobs_of_the_newest_pipeline_of_the_head_and_its_reviewers():
    async with forges("gitlab") as (fake, forge):
        fake.add(BRANCH)
        states = ["success", "failed", "running", "created", "manual", "skipped", "canceled"]
        fake.runs = [{"name": each, "status": each, "allow_failure": False} for each in states]
        fake.runs.append({"name": "may fail", "status": "failed", "allow_failure": True})
        fake.approvers = ["ada", "bob"]
        fake.reviews = [{"user": {"username": "bob"}, "state": "requested_changes"}, {"user": {"username": "dan"}, "state": "unreviewed"}]
        fake.reviews.append({"user": {"username": "eve"}, "state": "requested_changes"})
        status = await forge.status(7)
        assert Check(name="may fail", state="passing") in status.checks
        assert [each.name for each in status.checks if each.state == "failing"] == ["canceled", "failed"]
        assert [each.name for each in status.checks if each.state == "pending"] == ["created", "running"]
        assert [(each.person, each.verdict) for each in status.reviews] == [
            ("ada", "approved"),
            ("bob", "changes_requested"),
            ("eve", "changes_requested"),
        ]


# --- what may go wrong

FAULTS = [
    (401, {"message": "Bad credentials"}, {}, TokenRefused, r"does not accept the token: Bad credentials\. Get a new one: `g"),
    (403, {"message": "Resource not accessible"}, {}, NotPermitted, "does not let this token do that: Resource not accessible"),
    (403, {"message": "insufficient_scope", "error": "insufficient_scope"}, {}, NotPermitted, "does not let this token"),
    (404, {"message": "Not Found"}, {}, NotFound, "shows no such repository or pull request to this token"),
    (301, {"message": "Moved Permanently"}, {"location": "http://127.0.0.1:1/x"}, NotFound, "has moved"),
    (
        422,
        {"message": "Validation Failed", "errors": [{"field": "base", "code": "invalid"}]},
        {},
        NotTaken,
        "refused .422.: Validation Failed",
    ),
    (400, {"message": {"title": ["can't be blank"]}}, {}, NotTaken, "title can't be blank"),
    (500, b"<html>", {}, ForgeBroken, "failed .500: Fake.. That is not yours to mend"),
    (502, {"message": "Bad gateway"}, {}, ForgeBroken, "failed .502: Bad gateway"),
    (429, {"message": "slow down"}, {"retry-after": "30"}, RateLimited, "Ask again in 30 seconds"),
    (403, {"message": "You have exceeded a secondary rate limit"}, {}, RateLimited, "Ask again later"),
    (200, b"<html>", {}, ForgeBroken, "no JSON"),
    (200, [], {}, ForgeBroken, "in a form that was never seen"),
    (200, {"number": "x"}, {}, ForgeBroken, "in a form that was never seen"),
    (0, None, {}, Unreachable, "cannot be reached. Check the network"),
]


@pytest.mark.parametrize(("status", "body", "headers", "error", "sentence"), FAULTS)
async def test_every_fault_says_what_happened_and_what_to_do(kind, status, body, headers, error, sentence):
    async with forges(kind) as (fake, forge):
        fake.faults.append(Fault(when="POST ", status=status, body=body, headers=headers))
        with pytest.raises(error, match=sentence) as caught:
            await forge.open_draft(DRAFT)
        assert str(caught.value).startswith("forge.example.org") or error is ForgeBroken
        assert TOKEN not in str(caught.value)
        assert len(fake.requests) == 1, "nothing is tried again by itself"


async def test_a_limit_tells_when_it_ends(kind):
    async with forges(kind) as (fake, forge):
        headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.time()) + 1200)}
        fake.faults.append(Fault(when="GET", status=403, body={"message": "API rate limit exceeded"}, headers=headers))
        with pytest.raises(RateLimited, match="in 20 minutes") as caught:
            await forge.find(BRANCH)
        assert 1190 < caught.value.seconds <= 1200
        fake.faults.append(Fault(when="GET", status=429, headers={"retry-after": formatdate(time.time() + 600, usegmt=True)}))
        with pytest.raises(RateLimited, match="in 10 minutes"):
            await forge.find(BRANCH)
        fake.faults.append(Fault(when="GET", status=429, headers={"retry-after": "soon"}))
        with pytest.raises(RateLimited, match="later"):
            await forge.find(BRANCH)


async def test_a_token_that_is_wrong_is_refused(kind):
    async with forges(kind, token="another") as (_, forge):
        with pytest.raises(TokenRefused):
            await forge.find(BRANCH)


async def test_a_fault_on_a_later_page_is_a_fault(kind):
    async with forges(kind, page=1) as (fake, forge):
        fake.add(BRANCH)
        fake.add(BRANCH)
        part = "pulls" if kind == "github" else "merge_requests"
        assert await forge.find(BRANCH)
        fake.faults.append(Fault(when=f"GET {fake.requests[-1].path}", status=200, body=b"[{", headers={}))
        with pytest.raises(ForgeBroken):
            await forge.find(BRANCH)
        assert part in fake.requests[-1].path


async def test_a_list_that_goes_on_elsewhere_is_not_followed_with_the_token(kind):
    async with FakeForge(kind=kind) as elsewhere, forges(kind) as (fake, forge):
        link = {"link": f'<{elsewhere.url}/repos/ada/calc/pulls?page=2>; rel="next"'}
        fake.faults.append(Fault(when="GET", status=200, body=[], headers=link))
        with pytest.raises(ForgeBroken, match="goes on at"):
            await forge.find(BRANCH)
        assert elsewhere.requests == []


async def test_a_list_without_end_ends(kind):
    async with forges(kind, page=1) as (fake, forge):
        for _ in range(60):
            fake.add(BRANCH, state="closed")
        assert await forge.find(BRANCH)
        assert len(fake.requests) == 50


async def test_a_forge_that_is_away_is_unreachable(kind):
    async with forges(kind) as (fake, forge):
        await fake.stop()
        with pytest.raises(Unreachable, match="cannot be reached"):
            await forge.read(7)


async def test_a_forge_that_says_nothing_is_unreachable(kind, monkeypatch):
    monkeypatch.setattr(forge_rest, "SECONDS", 0.2)
    async with forges(kind) as (fake, forge):
        fake.faults.append(Fault(when="GET", status=1))
        with pytest.raises(Unreachable, match="did not answer in time"):
            await forge.find(BRANCH)


async def test_a_duplicate_that_cannot_be_found_stays_an_error(kind):
    async with forges(kind) as (fake, forge):
        said = {"message": "Validation Failed", "errors": [{"message": "A pull request already exists for ada:x."}]}
        fake.faults.append(Fault(when="POST", status=422 if kind == "github" else 409, body=said))
        with pytest.raises(ForgeError, match="already exists"):
            await forge.open_draft(DRAFT)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-9, 9) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["message", "errors", "error", "number", "iid", "state", "head", "user", "name", "check_runs", "id", "sha", "approved_by"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(answers=st.lists(st.tuples(st.sampled_from([200, 200, 200, 401, 403, 404, 422, 500]), JSON), min_size=1), number=st.integers(0, 3))
@pytest.mark.parametrize("kind", ["github", "gitlab"])
async def test_whatever_a_forge_answers_it_is_an_answer_or_a_fault_of_the_forge(kind, answers, number):
    turns = itertools.cycle(answers)

    def answer(_):
        status, body = next(turns)
        return httpx2.Response(status, json=body)

    forge = connect(FakeForge(kind=kind, url="http://127.0.0.1").address, TOKEN)
    await forge._rest.close()
    forge._rest._client = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    asked = [lambda: forge.find(BRANCH), lambda: forge.read(7), lambda: forge.status(7), lambda: forge.open_draft(DRAFT)][number]
    said = ""
    try:
        await asked()
    except ForgeError as error:
        said = str(error)
    await forge.close()
    assert "\n" not in said


# --- which forge


@pytest.mark.parametrize(
    ("url", "kind", "path", "api"),
    [
        ("https://github.com/ada/calc.git", "github", "ada/calc", "https://api.github.com"),
        ("git@github.com:ada/calc", "github", "ada/calc", "https://api.github.com"),
        ("ssh://git@ssh.github.com:443/ada/calc.git", "github", "ada/calc", "https://api.github.com"),
        ("git@gitlab.com:group/sub/calc.git", "gitlab", "group/sub/calc", "https://gitlab.com/api/v4"),
        ("https://git.example.org/ada/calc", "github", "ada/calc", "https://git.example.org/api/v3"),
        ("https://lab.example.org/ada/calc", "gitlab", "ada/calc", "https://lab.example.org/api/v4"),
    ],
)
def test_a_forge_is_known_by_the_host_of_the_address(url, kind, path, api):
    hosts = {**PUBLIC, "git.example.org": own_host("github", "git.example.org"), "lab.example.org": own_host("gitlab", "lab.example.org")}
    found = forge_of(address_of(url), hosts)
    assert (found.kind, found.path, found.api) == (kind, path, api)


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.org/ada/calc",
        "https://github.com.example.org/ada/calc",
        "https://github.com/ada",
        "https://github.com/ada/calc/more",
        "https://github.com/ada/..",
        "https://github.com/ada/calc?x=1",
        "https://gitlab.com/calc",
        "https://gitlab.com/a/../b",
        "https://gitlab.com/a%2Fb/c",
    ],
)
def test_nothing_is_guessed_of_another_host_or_path(url):
    assert forge_of(address_of(url)) is None


def test_naming_a_forge_loads_no_client():
    program = "import sys, specgit.forge, specgit.push; sys.exit('httpx2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# --- the judge


@pytest.mark.skipif(not octokit.is_here(), reason=octokit.REASON)
def test_githubs_own_description_finds_what_is_wrong_with_a_request():
    at = "/repos/ada/calc/pulls"
    sound = {"title": "T", "head": "x", "base": "main", "body": "B", "draft": True}
    assert octokit.faults("POST", at, {}, sound) == []
    assert octokit.faults("GET", at, {"head": "ada:x", "state": "all", "per_page": "100"}, None) == []
    for wrong in (
        ("POST", "/repos/ada/calc/merge_requests", {}, sound),
        ("PUT", at, {}, sound),
        ("POST", at, {}, {**sound, "is_draft": True}),
        ("POST", at, {}, {**sound, "draft": "yes"}),
        ("POST", at, {}, {"title": "T"}),
        ("GET", at, {"branch": "x"}, None),
        ("GET", at, {"state": "opened"}, None),
        ("GET", at, {}, sound),
    ):
        assert octokit.faults(*wrong), wrong


async def ask_nonsense(kind, path):
    async with forges(kind) as (_, forge):
        with pytest.raises(ForgeError):
            await forge._rest.get(path)


@pytest.mark.skipif(not octokit.is_here(), reason=octokit.REASON)
async def test_the_fake_github_fails_a_test_that_asks_what_the_real_one_does_not_know():
    with pytest.raises(AssertionError, match="GitHub knows no"):
        await ask_nonsense("github", "/repos/ada/calc/pull-requests")


@pytest.mark.parametrize(("kind", "path"), [("github", "/repos/ada/calc/labels"), ("gitlab", "/projects/ada%2Fcalc/labels")])
async def test_the_fakes_fail_a_test_whose_request_has_no_route(kind, path):
    with pytest.raises(AssertionError, match="There is no such route"):
        await ask_nonsense(kind, path)
