"""What can go wrong between this machine and the place that a person shares a repository at, each with a sentence that says what to do next."""
# ruff: noqa: N818  the names say what happened; that they are errors is said by their base class

from specgit.errors import GitError


class BadAddress(GitError):
    """An address that nothing is sent to: of a kind that may run programs, that is read by anybody, or that is none."""


class Unreachable(GitError):
    """The other side did not answer: no network, no such host, or no answer in time."""


class NoAccess(GitError):
    """The other side did not let us in, or does not show us the repository."""


class LeaseLost(GitError):
    """A ref on the other side is not where we left it, so it was not moved."""

    def __init__(self, ref: str, *, stderr: str = "") -> None:
        sentence = (
            f"Somebody else moved or deleted {ref} on the other side, so nothing was pushed. "
            "Look at what is there, for example with `git ls-remote`; bring it in or remove it there, then ask again."
        )
        super().__init__(sentence, stderr=stderr)
        self.ref = ref


class PushRejected(GitError):
    """The other side took none of it, for a reason of its own: a hook, a protected branch, a size limit."""

    def __init__(self, ref: str, reason: str, *, stderr: str = "") -> None:
        super().__init__(
            f"The other side did not take {ref}: {reason}. Change its rules for this branch, or push it yourself.", stderr=stderr
        )
        self.ref = ref
        self.reason = reason


class ForgeError(GitError):
    """Something a forge did not do for us; nothing here was changed by it."""


class TokenRefused(ForgeError):
    """The forge does not know the token (401)."""


class NotPermitted(ForgeError):
    """The forge knows the token, which may not do this (403)."""


class NotFound(ForgeError):
    """The forge has no such repository or pull request, or does not show it to this token (404)."""


class RateLimited(ForgeError):
    """Too much was asked; `seconds` tells after how long it may be asked again, None where that was not said."""

    def __init__(self, message: str, seconds: float | None) -> None:
        super().__init__(message)
        self.seconds = seconds


class AlreadyThere(ForgeError):
    """There is a pull request of this branch already."""


class NotTaken(ForgeError):
    """The forge understood, and refuses what was asked (4xx)."""


class ForgeBroken(ForgeError):
    """The forge itself is ill (5xx), or answers what no forge answers."""
