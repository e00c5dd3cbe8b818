"""Permission for one thing: by the person's rules, by what they said of it before, else by asking them, however long that takes."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeGuard

from specthread.agents.backend import Permission, RunStopped, Toolbox, ToolResult, ToolSpec, ToolUse
from specthread.agents.paths import PathRefused, Workspace
from specthread.agents.permissions import Request
from specthread.domain import reports
from specthread.domain.ids import RunId
from specthread.domain.model import Refusal
from specthread.domain.names import spectask_of
from specthread.domain.permission import CHOICES, NO, is_yes
from specthread.domain.run import ACTING, Question, WorkSession
from specthread.domain.runs import find_run
from specthread.engine.ports import Ports, in_thread

GIVEN = Permission(given=True)
FORBIDDEN = "The person's settings forbid this. Do it in another way, or ask them with `ask`."
ASKED_BARE = "Without a sandbox, where it reaches everything that you can, may it run: "


async def settled(ports: Ports, run: RunId, question: str, request: Request) -> Permission | None:
    """Returns what rules and earlier answers say of a request; where they say nothing, the person is asked, and the answer is None until git holds theirs.

    `question` says where in the run's work it is asked.
    """
    verdict = ports.settings.permissions.verdict(request)
    if verdict == "deny":
        return Permission(given=False, said=FORBIDDEN)
    known = find_run(ports.spectask(spectask_of(run)), run)
    if verdict == "allow" or (known is not None and request.what in known.permitted):
        return GIVEN
    if known is None or not _asks_for(known.question, request):
        name = permission_name(question, request.what)
        asked = reports.AskQuestion(
            spectask=spectask_of(run), run=run, question=name, kind="permission", text=request.what, choices=CHOICES
        )
        answer = await ports.submit(asked)
        if isinstance(answer, Refusal):
            raise RunStopped(answer.message)
    found = _question(ports, run, request)
    return await use(ports, run, found) if found.answer_seq and _goes_on(ports, run) else None


def permission_name(call: str, what: str) -> str:
    """Returns the name of a question: an answer to it is none to a question for something else, whatever that calls itself."""
    return f"{call}-{hashlib.sha256(what.encode(errors='replace')).hexdigest()[:12]}"


def _asks_for(question: Question | None, request: Request) -> TypeGuard[Question]:
    """Tells whether a question is for this very thing. After a restart an agent may give its calls other names, or one of them to something else."""
    return question is not None and question.kind == "permission" and question.text == request.what


async def permitted(ports: Ports, run: RunId, question: str, request: Request, regain: Callable[[], Awaitable[bool]] | None) -> Permission:
    """Returns what was settled once it is, and the run has a place to go on with it; `regain` takes again what it may have lost while it held none."""
    permission = await settled(ports, run, question, request)
    if permission is not None:
        return permission
    while not ((found := _question(ports, run, request)).answer_seq and _goes_on(ports, run)):
        await ports.changes.wait_change(spectask_of(run))
    if regain is not None and not await regain():
        raise RunStopped("It does not get back what it uses.")
    return await use(ports, run, found)


async def use(ports: Ports, run: RunId, question: Question) -> Permission:
    """Takes an answer up, once; durable before what it permits begins, so that no crash lets that happen twice."""
    answer = await ports.submit(reports.UsePermission(spectask=spectask_of(run), run=run, question=question.id))
    if isinstance(answer, Refusal):
        raise RunStopped(answer.message)
    if is_yes(question):
        return GIVEN
    reason = question.answer.removeprefix(NO).removeprefix(":").strip()
    return Permission(given=False, said=f"The person did not permit this{f': {reason}' if reason else '.'}")


class PermissionAwaited(Exception):  # noqa: N818  what is the case, no fault
    """Tells work on a run's result that it ends here and begins again when the person has answered."""


async def may_check(ports: Ports, session: WorkSession, command: str) -> Permission:
    """Returns whether a check may run: unasked in a sandbox, else as rules say and the person permits it for this claim; raises PermissionAwaited."""
    if ports.settings.demo or not await in_thread(ports.settings.lacks_sandbox):
        return GIVEN
    request = Request(tool="shell", what=f"{ASKED_BARE}{command}", command=command, sandboxed=False)
    claim = f"permission-{session.claims}"
    asked = (session.id, permission_name(claim, request.what))
    if (said := ports.permissions.get(asked)) is not None:
        return said
    if ports.settings.permissions.verdict(request) == "allow":
        return GIVEN
    known = find_run(ports.spectask(spectask_of(session.id)), session.id)
    if known is None or known.state not in {"verifying", "merging"}:
        return Permission(
            given=False,
            said=f"There is no sandbox here, and your settings do not allow it: add `unsandboxed({command})` to permissions.allow.",
        )
    permission = await settled(ports, session.id, claim, request)
    if permission is None:
        raise PermissionAwaited
    # The same claim is checked on more than one tree.
    return ports.permissions.setdefault(asked, permission)


def _question(ports: Ports, run: RunId, request: Request) -> Question:
    known = find_run(ports.spectask(spectask_of(run)), run)
    question = known.question if known else None
    if not _asks_for(question, request):
        raise RunStopped("What it asked is no longer asked.")
    return question


def _goes_on(ports: Ports, run: RunId) -> bool:
    known = find_run(ports.spectask(spectask_of(run)), run)
    return known is not None and known.state in ACTING | {"verifying", "merging"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PermittedTools:
    """An agent's tools, each used only when it may be; one that may not says so."""

    inner: Toolbox
    permit: Callable[..., Awaitable[Permission]]
    workspace: Workspace
    sandboxed: bool

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """Lists the tools as the model is told of them."""
        return self.inner.specs

    async def use(self, call: ToolUse) -> ToolResult:
        """Uses a tool, once that is permitted."""
        match call.name:
            case "shell":
                permission = await self._command(call, call.input.get("command", ""))
            case "read" | "write" | "edit":
                permission = await self._file(call, call.input.get("path", ""))
            case "search":
                permission = await self.permit(call.name, "May it search the project's files?", call=call.id)
            case _:
                permission = GIVEN
        if permission:
            return await self.inner.use(call)
        return ToolResult(tool_use_id=call.id, content=f"This was not done. {permission.said}", is_error=True)

    async def _command(self, call: ToolUse, command: str) -> Permission:
        asked = "May it run, in its sandbox: " if self.sandboxed else ASKED_BARE
        return await self.permit(call.name, f"{asked}{command}", call=call.id, command=command, sandboxed=self.sandboxed)

    async def _file(self, call: ToolUse, path: str) -> Permission:
        try:
            shown = self.workspace.shown(self.workspace.to_read(path))
        except PathRefused:
            return GIVEN  # the tool itself refuses it, and says why
        asked = f"May it {'read' if call.name == 'read' else 'change'} {shown}?"
        return await self.permit(call.name, asked, call=call.id, path=shown)
