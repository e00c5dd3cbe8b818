"""The daemon's own look at a claim: commit the session's files, check that tree, believe only the check.

The check runs on the task's starting tree first: red before and green after is *verified*, green before and after proves nothing about this task and is *weak*.
A check that cannot run (not found, not executable, killed, timed out, no sandbox) is neither, and a human is asked. Trees are plain exports in scratch folders:
what a check writes is thrown away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from specgit.types import Oid as GitOid
from specgit.types import spec_refs
from specgit.worktrees import SessionCommit
from specthread.domain import reports
from specthread.domain.family import work_of
from specthread.domain.ids import Oid
from specthread.domain.model import SpecTask
from specthread.domain.react import VerifyClaim
from specthread.domain.run import CheckOutcome, Verification, WorkSession
from specthread.domain.text import listed, sound_text
from specthread.engine.check_run import REGRESSION, CheckRun, run_check
from specthread.engine.detected_checks import SOURCES
from specthread.engine.evidence import TOLD, evidence_in, noted, unexplained
from specthread.engine.leaks import Leaks, leaks_in
from specthread.engine.permitting import PermissionAwaited
from specthread.engine.ports import Ports, in_thread
from specthread.engine.project_checks import checks_of, format_work, objection, permitted, project_checks, remark, replaced
from specthread.engine.repositories import OpenRepository
from specthread.engine.reviewing import review_order
from specthread.engine.session_work import commit_work
from specthread.engine.workplace import prepare_worktree, worktree_of

STRAYED = (
    "You changed files that are not the task's: {}. Undo that, or name each by its path in your summary and say why; then finish again."
)


async def verify_claim(ports: Ports, effect: VerifyClaim) -> None:
    """Formats and commits the session's files, checks them, and reports what was found; where a check may not run unasked, it ends and begins again with the answer."""
    spectask = ports.spectask(effect.spectask)
    session = spectask.sessions[effect.run]
    opened = await ports.repository(spectask.id)
    try:
        verification, text = await _verified(ports, opened, spectask, session)
    except PermissionAwaited:
        return
    await ports.submit(
        reports.FinishCheck(
            spectask=spectask.id,
            session=session.id,
            claim=effect.claim,
            verification=verification,
            text=text,
            review=review_order(ports, spectask),
        )
    )


async def _verified(ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession) -> tuple[Verification, str]:
    found, remarks = await permitted(ports, session, await checks_of(ports, opened, session.start))
    formatted, unformatted = await format_work(ports, opened, spectask, session, found)
    commit, leaks = await in_thread(_clean_commit, ports, opened, spectask, session)
    verification, text = await _verify(ports, opened, spectask, session, commit, leaks)
    if verification.outcome in {"verified", "weak"}:
        # Work that its own check refuses comes again; until then nobody waits for the project's.
        others = {kind: command for kind, command in found.commands.items() if command != verification.check}
        checks = await project_checks(ports, opened, spectask, session, others, commit.oid)
        verification = replace(verification, checks=checks)
        gone = await replaced(ports, opened, verification, work_of(spectask, session).files)
        remarks += [said for check in checks if (said := remark(check, gone))]
        if changed := sorted({*SOURCES} & {*verification.changed}):
            remarks.append(f"changes what the project's checks do: {', '.join(changed)}")
        verification = replace(verification, evidence=(*verification.evidence, *remarks))
        verification, text = _weighed(verification, text, [("red", said) for check in checks if (said := objection(check, gone))])
    if unformatted:
        verification = replace(verification, evidence=(*verification.evidence, f"the project's formatter could not run: {unformatted}"))
    return replace(verification, formatted=formatted), text


def commit_session(ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession) -> SessionCommit:
    """Commits what is in the worktree to the session's branch; the same claim twice makes one commit."""
    prepare_worktree(ports, opened, spectask, session)
    return commit_work(ports, opened, spectask, session, said=session.summary, seq=session.claim_seq)


def _clean_commit(ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession) -> tuple[SessionCommit, Leaks | None]:
    """Commits the session's files, and once more where only earlier commits told a secret, without those; returns what secrets the files hold."""
    commit = commit_session(ports, opened, spectask, session)
    leaks = leaks_in(opened, GitOid(session.start), commit.oid, ports.secrets)
    if leaks is None or leaks.places:
        return commit, leaks
    branch = spec_refs(spectask.id).session(session.number)
    opened.worktrees.withdraw(worktree_of(opened, session, spectask), branch=branch, tip=commit.oid, to=leaks.clean)
    merged = Oid(leaks.merged) if leaks.merged else None
    return commit_session(ports, opened, spectask, replace(session, conflict_with=merged)), None


async def _verify(
    ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession, commit: SessionCommit, leaks: Leaks | None
) -> tuple[Verification, str]:
    task = work_of(spectask, session)
    unprotected = bool(await in_thread(ports.settings.lacks_sandbox))
    merged = await in_thread(_merged_into, opened, spectask, commit.oid) if task.check in {"", REGRESSION} else ()
    command = check_command(ports, opened, spectask, session, merged)
    base = await in_thread(_merged_in, opened, session, commit.oid)
    changed = await in_thread(opened.repository.changed_paths, base, commit.oid)
    dropped = tuple(sound_text(f"{item.path}: {item.reason}") for item in commit.dropped)
    evidence = (
        *noted("what looks like a secret", leaks.places if leaks else ()),
        *noted("changes what other tools do here", commit.evidence),
        *await in_thread(evidence_in, opened, session, commit.oid, task.files, changed),
    )

    def found(outcome: CheckOutcome, before: CheckRun | None, after: CheckRun | None) -> Verification:
        return Verification(
            outcome=outcome,
            check=command,
            commit=Oid(commit.oid),
            tree=Oid(commit.tree),
            before_exit=before.exit_code if before else None,
            after_exit=after.exit_code if after else None,
            before_passed=before.passed if before else None,
            before_output=before.output if before else "",
            output=after.output if after else "",
            changed=tuple(map(sound_text, changed)),
            dropped=dropped,
            evidence=tuple(map(sound_text, evidence)),
            unprotected=unprotected,
        )

    if not changed:
        also = f" These were left out of the commit: {listed(dropped, TOLD)}." if dropped else ""
        return found("no-work", None, None), f"You finished without changing any file.{also} Do the task, then finish."
    # Only a merge that we wrote into the files leaves markers; elsewhere they are the text's own.
    is_merge = base != GitOid(session.start)
    marked = await in_thread(opened.merger.has_markers, commit.tree, changed, before=(GitOid(session.start), base)) if is_merge else ()
    if marked:
        return found("red", None, None), f"Conflict markers are still in {sound_text(listed(marked, TOLD))}. Resolve them, then finish."
    before = await _before(ports, opened, spectask, session, command)
    after = await run_check(ports, opened, spectask, session, tree=commit.oid, command=command, use=f"check-ws-{session.number}")
    verification, text = _judged(command, before, after, found, regression=task.check == REGRESSION)
    objections: list[tuple[CheckOutcome, str]] = [("red", leaks.objection)] if leaks else []
    if strayed := await in_thread(unexplained, task.files, tuple(map(sound_text, changed)), session.summary):
        objections.append(("unexplained", STRAYED.format(listed(strayed, TOLD))))
    return _weighed(verification, text, objections)


def _weighed(verification: Verification, text: str, objections: Sequence[tuple[CheckOutcome, str]]) -> tuple[Verification, str]:
    """Returns a verdict with all that is said against the work, beside its check; a check that could not run is settled first."""
    if not objections or verification.outcome == "cannot-run":
        return verification, text
    outcomes = {verification.outcome, *(outcome for outcome, _ in objections)}
    outcome: CheckOutcome = "red" if "red" in outcomes else "unexplained"
    return replace(verification, outcome=outcome), "\n\n".join(part for part in (text, *(said for _, said in objections)) if part)


def _merged_into(opened: OpenRepository, spectask: SpecTask, commit: GitOid) -> tuple[WorkSession, ...]:
    """Returns the merged sessions whose work a commit holds: what others merged meanwhile is not in its files."""
    return tuple(other for other in merged_sessions(spectask) if opened.repository.is_ancestor(GitOid(other.merged or ""), commit))


def _merged_in(opened: OpenRepository, session: WorkSession, commit: GitOid) -> GitOid:
    """Returns the commit that the session's own work differs from: what a merged feature branch brought into its files is the work of others."""
    history = opened.repository.log(f"{session.start}..{commit}", first_parent=True)
    return next((fact.parents[-1] for fact in history if len(fact.parents) > 1), GitOid(session.start))


def _judged(command: str, before: CheckRun, after: CheckRun, found: object, *, regression: bool) -> tuple[Verification, str]:
    assert callable(found)  # noqa: S101  a local function of the caller
    blocked = next((run for run in (before, after) if run.passed is None), None)
    if blocked is not None:
        tried = "" if command == REGRESSION else f"`{command}` could not run (exit {blocked.exit_code}).\n"
        return found("cannot-run", before, after), f"{tried}{blocked.output}"
    if not after.passed:
        failed = "ran no test" if after.exit_code == 0 else f"fails on your committed work (exit {after.exit_code})"
        text = f"The check `{command}` {failed}. Correct the work, then finish again.\n\n{after.output}"
        return found("red", before, after), text
    return found("weak" if before.passed and not regression else "verified", before, after), ""


async def _before(ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession, command: str) -> CheckRun:
    """Returns what the check does on the starting tree; run once per attempt."""
    known = session.verification
    if known is not None and known.before_exit is not None and known.check == command and known.outcome != "cannot-run":
        passed = known.before_exit == 0 if known.before_passed is None else known.before_passed
        return CheckRun(passed=passed, exit_code=known.before_exit, output=known.before_output)
    return await run_check(ports, opened, spectask, session, tree=GitOid(session.start), command=command, use=f"start-ws-{session.number}")


def check_command(
    ports: Ports, opened: OpenRepository, spectask: SpecTask, session: WorkSession, merged: Sequence[WorkSession] | None = None
) -> str:
    """Returns the command that decides about a session: its task's, or for a regression task the project's, else the commands of what is merged.

    `merged` are the merged sessions that count, None all. Where there is no command, the answer is REGRESSION, which cannot run.
    """
    check = work_of(spectask, session).check
    if check and check != REGRESSION:
        return check
    plans = [work_of(spectask, other) for other in (merged_sessions(spectask) if merged is None else merged)]
    commands = [command for command in dict.fromkeys(plan.check for plan in plans) if command not in {"", REGRESSION}]
    # Each in a shell of its own: one may change the folder.
    joined = " && ".join(f"({command})" for command in commands) if len(commands) > 1 else "".join(commands)
    return ports.repository_settings(opened).project_check or joined or REGRESSION


def merged_sessions(spectask: SpecTask) -> tuple[WorkSession, ...]:
    """Returns the sessions whose work is merged, by number."""
    return tuple(sorted((other for other in spectask.sessions.values() if other.merged), key=lambda other: other.number))
