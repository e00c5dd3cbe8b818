"""Traps for every program that git can be led to run: each leaves a file with its name. `TRIGGERS` has, for each, what plain git does to step into it."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from support.git_fixture import git, make_repository, write_files
from support.git_scene import Scene

HOOKS = [
    "applypatch-msg",
    "pre-applypatch",
    "post-applypatch",
    "pre-commit",
    "pre-merge-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "pre-rebase",
    "post-checkout",
    "post-merge",
    "pre-push",
    "pre-receive",
    "update",
    "proc-receive",
    "post-receive",
    "post-update",
    "reference-transaction",
    "push-to-checkout",
    "pre-auto-gc",
    "post-rewrite",
    "sendemail-validate",
    "fsmonitor-watchman",
    "post-index-change",
]
ATTRIBUTES = """\
* filter=evil diff=evil merge=evil
data.txt filter=proc diff=conv
staged.txt filter=evil !diff
*.included filter=included
*.conditional filter=conditional
*.private filter=private
*.home filter=home
"""
ASKED = b"protocol=https\nhost=example.org\n\n"
SAME = ("theirs", "main", "--")
QUIET = ("-c", "filter.proc.process=", "-c", "filter.evil.required=false", "-c", "commit.gpgsign=false")
"""Disarms the traps that end a command before it reaches the others."""


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """A plain git command that a trap catches; `{x}` stands for a place of the scene."""

    args: tuple[str, ...]
    stdin: bytes = b""
    terminal: bool = False
    env: Mapping[str, str] = field(default_factory=dict)


def _on(*args: str, stdin: bytes = b"", terminal: bool = False, **env: str) -> Trigger:
    return Trigger(args=args, stdin=stdin, terminal=terminal, env=env)


KEYS: dict[str, Trigger] = {
    "core.fsmonitor": _on("status"),
    "filter.evil.clean": _on("hash-object", "--path=x", "README.md"),
    "filter.evil.smudge": _on("cat-file", "--filters", "main:README.md"),
    "filter.proc.process": _on("cat-file", "--filters", "main:data.txt"),
    "diff.evil.command": _on("diff", *SAME, "src/app.py"),
    "diff.conv.textconv": _on(*QUIET, "cat-file", "--textconv", "main:data.txt"),
    "diff.external": _on("diff", "main", "--", "staged.txt"),
    "merge.evil.driver": _on("merge-tree", "--write-tree", "main", "theirs"),
    "gpg.program": _on("log", "-1", "signed"),
    "gpg.ssh.program": _on("-c", "gpg.format=ssh", "-c", "user.signingkey=k", "commit-tree", "-S", "main^{tree}"),
    "gpg.x509.program": _on("-c", "gpg.format=x509", "commit-tree", "-S", "main^{tree}"),
    "credential.helper": _on("credential", "fill", stdin=ASKED),
    "core.askPass": _on("-c", "credential.helper=", "credential", "fill", stdin=ASKED),
    "core.editor": _on(*QUIET, "commit", "--only", "--allow-empty"),
    "sequence.editor": _on(
        "-C", "{linked}", *QUIET, "-c", "core.fsmonitor=", "-c", "i18n.logOutputEncoding=UTF-8", "rebase", "-i", "--autostash", "HEAD~1"
    ),
    "core.pager": _on("log", "-1", "main", terminal=True),
    "pager.branch": _on("branch", terminal=True),
    "core.sshCommand": _on("ls-remote", "ssh://localhost/x"),
    "core.gitProxy": _on("ls-remote", "git://localhost/x"),
    "core.alternateRefsCommand": _on("receive-pack", "."),
    "trailer.x.command": _on("interpret-trailers", "--trailer", "x=1"),
    "trailer.y.cmd": _on("interpret-trailers", "--trailer", "y=1"),
    "alias.evil": _on("evil"),
    "remote.up.uploadpack": _on("fetch", "up"),
    "remote.up.receivepack": _on("push", "up", "main:x"),
    "interactive.diffFilter": _on(
        *QUIET,
        "-c",
        "core.fsmonitor=",
        "-c",
        "add.interactive.useBuiltin=false",
        "add",
        "-p",
        "src/app.py",
        stdin=b"q\n",
        GIT_CONFIG_COUNT="1",
        GIT_CONFIG_KEY_0="color.ui",
        GIT_CONFIG_VALUE_0="always",
    ),
    "tar.evil.command": _on("archive", "--format=evil", "main"),
    "difftool.evil.cmd": _on(*QUIET, "difftool", "-y", "-t", "evil", "main", "--", "staged.txt"),
    "submodule.sub.update": _on("submodule", "update", "--force", "sub"),
}
PLACES: dict[str, Trigger] = {
    "filter.included.clean": _on("hash-object", "--path=x.included", "README.md"),
    "filter.conditional.clean": _on("hash-object", "--path=x.conditional", "README.md"),
    "filter.private.clean": _on("hash-object", "--path=x.private", "README.md"),
    "filter.home.clean": _on("hash-object", "--path=x.home", "README.md"),
    "uploadpack.packObjectsHook": _on("clone", "--quiet", "file://{checkout}", "{folder}/cloned"),
    "a lazy fetch": _on("cat-file", "-p", "1" * 40),
    "nested filter.evil.clean": _on(*QUIET, "status"),
    "sub core.fsmonitor": _on("-C", "{checkout}/sub", "status"),
    "sub filter.evil.clean": _on("-C", "{checkout}/sub", "-c", "core.fsmonitor=", "diff"),
    "embedded core.fsmonitor": _on("--git-dir=embedded", "status"),
    "env GIT_EXTERNAL_DIFF": _on("diff", "main", "--", "staged.txt", GIT_EXTERNAL_DIFF="{env GIT_EXTERNAL_DIFF}"),
    "env GIT_SSH_COMMAND": _on("ls-remote", "ssh://localhost/x", GIT_SSH_COMMAND="{env GIT_SSH_COMMAND}"),
    "env GIT_PROXY_COMMAND": _on("ls-remote", "git://localhost/x", GIT_PROXY_COMMAND="{env GIT_PROXY_COMMAND}"),
    "env GIT_ASKPASS": _on("-c", "credential.helper=", "credential", "fill", stdin=ASKED, GIT_ASKPASS="{env GIT_ASKPASS}"),
    "env GIT_EDITOR": _on(*QUIET, "commit", "--only", "--allow-empty", GIT_EDITOR="{env GIT_EDITOR}"),
    "env GIT_PAGER": _on("log", "-1", "main", terminal=True, GIT_PAGER="{env GIT_PAGER}"),
    "path git-remote-trap": _on("ls-remote", "trap::x"),
    "path git-trap": _on("trap"),
    "path ssh": _on("-c", "core.sshCommand=ssh", "ls-remote", "ssh://localhost/x"),
    "path gpg": _on("-c", "gpg.program=gpg", "commit-tree", "-S", "main^{tree}"),
}
CAUGHT_HOOKS: dict[str, Trigger] = {
    "hook reference-transaction": _on("branch", "new"),
    "hook post-checkout": _on(*QUIET, "worktree", "add", "{folder}/another"),
    "hook post-index-change": _on("add", "--intent-to-add", "README.md"),
    "hook pre-commit": _on(*QUIET, "commit", "--only", "--allow-empty", "-m", "x"),
    "hook commit-msg": _on(*QUIET, "commit", "--only", "--allow-empty", "-m", "x"),
    "hook prepare-commit-msg": _on(*QUIET, "commit", "--only", "--allow-empty", "-m", "x"),
    "hook post-commit": _on(*QUIET, "commit", "--only", "--allow-empty", "-m", "x"),
}
TRIGGERS = {**KEYS, **PLACES, **CAUGHT_HOOKS}


@dataclass(frozen=True, kw_only=True)
class Hostile:
    """A scene whose repository is full of traps; a trap that caught somebody leaves a file in `traps`."""

    scene: Scene
    traps: Path
    env: Mapping[str, str]

    def fired(self) -> set[str]:
        """Names the traps that caught somebody."""
        return {path.name for path in self.traps.iterdir()}

    def program(self, name: str) -> str:
        """Returns the path of a program that is a trap."""
        return _program(self.scene.folder, name)

    def trigger(self, found: Trigger) -> None:
        """Runs plain git as a user would, who has not heard of traps."""
        scene, home = self.scene, self.scene.folder / "home"
        places = {"linked": scene.folder / "linked", "checkout": scene.checkout, "folder": scene.folder}
        names = places | {name: self.program(name) for name in found.env.values() for name in [name.strip("{}")]}
        args = [_filled(word, names) for word in found.args]
        env = {"PATH": self.env["PATH"], "HOME": str(home), "TERM": "xterm", "LC_ALL": "C"} | {
            key: _filled(value, names) for key, value in found.env.items()
        }
        command = ["git", *([] if args[0] == "-C" else ["-C", str(scene.checkout)]), *args]
        terminal, output = pty.openpty() if found.terminal else (-1, subprocess.DEVNULL)
        process = subprocess.Popen(
            command, env=env, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.DEVNULL, start_new_session=True
        )
        process.communicate(found.stdin, timeout=30)
        if found.terminal:
            os.close(output)
            os.close(terminal)


def hostile(scene: Scene, traps: Path) -> Hostile:
    """Plants every trap in a scene, and lets its agent plant more in each worktree."""
    traps.mkdir()
    names = [
        *KEYS,
        *PLACES,
        *(f"hook {hook}" for hook in HOOKS),
        "nested hook",
        "agent core.fsmonitor",
        "agent filter.evil.clean",
        "agent private",
    ]
    for name in names:
        _write_program(scene.folder, name, traps)
    _plant_repositories(scene)
    _plant_config(scene)
    _plant_hooks(scene.checkout / ".git/hooks", scene.folder)
    _plant_hooks(scene.folder / "hooks", scene.folder)
    write_files(scene.checkout, {".gitattributes": ATTRIBUTES, ".git/info/attributes": ATTRIBUTES})
    scene.agent = lambda path: _agent(scene, path)
    env = {name.removeprefix("env "): _program(scene.folder, name) for name in PLACES if name.startswith("env ")}
    (scene.folder / "bin").mkdir()
    for name in (name for name in names if name.startswith("path ")):
        (scene.folder / "bin" / name.removeprefix("path ")).symlink_to(_program(scene.folder, name))
    elsewhere = f"{scene.checkout}/nested/.git"
    env |= {
        "GIT_DIR": elsewhere,
        "GIT_OBJECT_DIRECTORY": f"{elsewhere}/objects",
        "GIT_INDEX_FILE": f"{elsewhere}/index",
        "GIT_WORK_TREE": str(scene.folder),
    }
    env |= {
        "GIT_EXEC_PATH": str(scene.folder / "bin"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.hooksPath",
        "GIT_CONFIG_VALUE_0": "hooks",
    }
    path = f"{scene.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return Hostile(scene=scene, traps=traps, env={**env, "PATH": path})


def edit_unseen(inner: Path) -> None:
    """Changes the file `a` of a repository so that git must read it to know, by its filter: of another size it would be known to differ without."""
    write_files(inner, {"a": "b\n"})
    os.utime(inner / "a", (1, 1))


def _filled(word: str, names: Mapping[str, object]) -> str:
    for name, value in names.items():
        word = word.replace(f"{{{name}}}", str(value))
    return word


def _program(folder: Path, name: str) -> str:
    return str(folder / "programs" / name.replace(" ", "_"))


def _write_program(folder: Path, name: str, traps: Path) -> None:
    path = Path(_program(folder, name))
    # A filter, a text conversion and a pager pass on what they are given, so that nobody notices.
    passes_on = any(kind in name for kind in ("clean", "smudge", "textconv", "pager", "PAGER", "diffFilter", "tar."))
    write_files(path.parent, {path.name: f"#!/bin/sh\ntouch '{traps}/{name}'\n{'cat' if passes_on else 'exit 0'}\n"})
    path.chmod(0o755)


def _plant_config(scene: Scene) -> None:
    folder, git_dir = scene.folder, scene.checkout / ".git"
    lines = [(key, _program(folder, key)) for key in KEYS]
    lines = [(key, f"!{value}" if key in {"alias.evil", "submodule.sub.update", "credential.helper"} else value) for key, value in lines]
    lines += [("core.hooksPath", folder / "hooks"), ("merge.default", "evil"), ("commit.gpgSign", "true"), ("tag.gpgSign", "true")]
    lines += [
        ("log.showSignature", "true"),
        ("filter.evil.required", "true"),
        ("gc.auto", "1"),
        ("submodule.recurse", "true"),
        ("protocol.allow", "always"),
    ]
    lines += [("remote.up.url", scene.checkout), ("remote.origin.url", f"ext::{_program(folder, 'a lazy fetch').replace('_', '_')}")]
    lines += [("remote.origin.promisor", "true"), ("extensions.worktreeConfig", "true"), ("core.repositoryFormatVersion", "1")]
    # What bends git's answers: none of it may mislead who reads them.
    lines += [
        ("color.ui", "always"),
        ("column.ui", "always"),
        ("core.quotePath", "true"),
        ("diff.noprefix", "true"),
        ("status.short", "true"),
    ]
    lines += [
        ("status.branch", "true"),
        ("log.decorate", "full"),
        ("log.date", "relative"),
        ("core.abbrev", "4"),
        ("diff.renames", "copies"),
    ]
    lines += [("i18n.logOutputEncoding", "UTF-16"), ("format.pretty", "raw"), ("diff.context", "0"), ("diff.mnemonicPrefix", "true")]
    lines += [("include.path", folder / "included"), (f"includeIf.gitdir:{git_dir}.path", folder / "conditional")]
    write_files(git_dir, {"config": (git_dir / "config").read_text() + _config(lines)})
    write_files(git_dir, {"config.worktree": _config([("filter.private.clean", _program(folder, "filter.private.clean"))])})
    for name in ("included", "conditional"):
        write_files(folder, {name: _config([(f"filter.{name}.clean", _program(folder, f"filter.{name}.clean"))])})
    home = [(key, _program(folder, key)) for key in ("filter.home.clean", "uploadpack.packObjectsHook")]
    write_files(folder / "home", {".gitconfig": (folder / "home/.gitconfig").read_text() + _config(home)})


def _config(lines: list[tuple[str, object]]) -> str:
    text = []
    for key, value in lines:
        section, _, rest = key.partition(".")
        middle, _, name = rest.rpartition(".")
        text.append(f'[{section}{f" {chr(34)}{middle}{chr(34)}" if middle else ""}]\n\t{name} = "{value}"\n')
    return "".join(text)


def _plant_hooks(place: Path, folder: Path) -> None:
    place.mkdir(exist_ok=True)
    for hook in HOOKS:
        (place / hook).unlink(missing_ok=True)
        (place / hook).symlink_to(_program(folder, f"hook {hook}"))


def _plant_repositories(scene: Scene) -> None:
    """A signed commit, an alternate, a nested repository known as a submodule, one that nobody declared, and a bare one among the files."""
    checkout, folder = scene.checkout, scene.folder
    tree = git(checkout, "rev-parse", "main^{tree}")
    head = f"tree {tree}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n"
    signed = f"{head}gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ\n -----END PGP SIGNATURE-----\n\nSigned\n"
    git(checkout, "branch", "signed", git(checkout, "hash-object", "-t", "commit", "-w", "--stdin", stdin=signed.encode()))
    other = make_repository(folder / "alternate", {"x": "1\n"})
    write_files(checkout, {".git/objects/info/alternates": f"{other}/.git/objects\n"})
    for name in ("nested", "sub"):
        inner = _hostile_repository(scene, checkout / name, name)
        oid = git(inner, "rev-parse", "HEAD")
        git(checkout, "update-index", "--add", "--cacheinfo", f"160000,{oid},{name}")
        edit_unseen(inner)
    write_files(checkout, {".gitmodules": '[submodule "sub"]\n\tpath = sub\n\turl = ./sub\n'})
    git(checkout, "config", "submodule.sub.active", "true")
    git(folder, "clone", "--quiet", "--bare", str(folder / "alternate"), str(checkout / "embedded"))
    config = _config([("core.bare", "false"), ("core.worktree", checkout), ("core.fsmonitor", _program(folder, "embedded core.fsmonitor"))])
    write_files(checkout / "embedded", {"config": config})


def _hostile_repository(scene: Scene, path: Path, name: str) -> Path:
    inner = make_repository(path, {"a": "a\n", ".gitattributes": "* filter=evil\n"})
    # An fsmonitor that answers would keep the filter of `nested` from being asked.
    kinds = ("filter.evil.clean",) if name == "nested" else ("core.fsmonitor", "filter.evil.clean")
    keys = [(key, _program(scene.folder, f"{name} {key}")) for key in kinds]
    write_files(inner, {".git/config": (inner / ".git/config").read_text() + _config(keys)})
    for hook in HOOKS:
        (inner / ".git/hooks" / hook).unlink(missing_ok=True)
        (inner / ".git/hooks" / hook).symlink_to(_program(scene.folder, "nested hook"))
    return inner


def _agent(scene: Scene, path: Path) -> None:
    """What an agent leaves in its worktree: attributes, a repository taken for a submodule, settings of its own, and a `.git` that leads elsewhere."""
    git_dir = next(place for place in (scene.checkout / ".git/worktrees").iterdir() if (place / "gitdir").read_text() == f"{path}/.git\n")
    inner = _hostile_repository(scene, path / "inner", "agent")
    quiet = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=")
    git(path, *quiet, "update-index", "--add", "--cacheinfo", f"160000,{git(inner, 'rev-parse', 'HEAD')},inner")
    edit_unseen(inner)
    write_files(path, {".gitattributes": ATTRIBUTES, "x.private": "x\n"})
    write_files(git_dir, {"config.worktree": _config([("filter.private.clean", _program(scene.folder, "agent private"))])})
    elsewhere = _hostile_repository(scene, path.parent / f"{path.name}-elsewhere", "agent")
    (path / ".git").write_text(f"gitdir: {elsewhere}/.git\n")
