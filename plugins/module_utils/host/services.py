# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The few things that root does for a process of the server's user, each after looking at what is asked for.

Whoever has taken that user over may ask for each of them: none may give more than the user has. What it can do with
them stands in SECURITY.md.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import pwd
import re
import typing as t

from ..values import places
from . import directories, lock, programs, separation
from .errors import MirroringError
from .run import Runner

SNAPSHOT_UNIT = "hawq-mirroring-snapshot.service"
VERBS = ("start", "stop", "restart", "reload", "reset-failed")
#: where nobody expects a database's files: a directory made there could be one that root's programs read
SYSTEM = (
    "bin",
    "boot",
    "dev",
    "etc",
    "home",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "opt",
    "proc",
    "root",
    "run",
    "sbin",
    "sys",
    "tmp",
    "usr",
    "var",
)
#: what the snapshot's unit must not do; its files may be anywhere, as tablespaces are
CONFINED = (
    "NoNewPrivileges",
    "ProtectKernelTunables",
    "ProtectKernelModules",
    "ProtectKernelLogs",
    "ProtectControlGroups",
    "ProtectClock",
    "ProtectHostname",
    "RestrictRealtime",
    "RestrictNamespaces",
    "LockPersonality",
)
EXTENSION_FILE = re.compile(r"hawq_mirroring(--\d+(\.\d+)+)*\.(control|sql)")


class Scope(t.NamedTuple):
    """Whom and what a module is about."""

    user: str
    #: the database's unit
    unit: str
    data_directory: str
    #: paths that the operator has named, below each of which root may make directories for the user
    named: tuple[str, ...]


def offered(scope: Scope, run: Runner) -> separation.Services:
    """Return the services by their names."""
    held = contextlib.ExitStack()
    return {
        "run": lambda command, timeout: run(_permitted(scope, command), timeout=timeout),
        "lock": lambda: held.enter_context(lock.held()),
        "unlock": held.close,
        "permit": _permit,
        "make_directory": lambda path, mode: _make_directory(scope, path, mode),
        "rename": lambda old, new: directories.rename(old, new, _account(scope)),
        "remove_directory": lambda path: directories.remove(path, _account(scope)),
        "write": lambda path, text: directories.write(_note(scope, path), text),
        "unlink": lambda path: directories.unlink(_note(scope, path)),
        "start_job": lambda job: _start_job(scope, run, job),
        "write_extension": _write_extension,
    }


def _account(scope: Scope) -> pwd.struct_passwd:
    return pwd.getpwnam(scope.user)


def _refuse(what: str) -> MirroringError:
    return MirroringError(f"root does not do this for the database's user: {what}")


def _permitted(scope: Scope, command: list[str]) -> list[str]:
    """Return a command that changes or reads no more than the cluster's own units and address; raise for any other."""
    units = {
        *([scope.unit, f"{scope.unit}.service"] if scope.unit else []),
        SNAPSHOT_UNIT,
        programs.unit_name(programs.VIRTUAL_IP),
    }
    program, words = command[0], command[1:]
    if program == "systemctl":
        asked = [word for word in words if word != "--no-block"]
        fits = len(asked) == 2 and asked[0] in VERBS and asked[1] in units
    elif program == "journalctl":
        fits = words[:1] == ["--unit"] and words[1] in units and words[2:] == ["-n", "4", "-o", "cat"]
    elif program == "arping":
        fits = words[:6] == ["-D", "-q", "-c", "1", "-w", "1"] and words[6] == "-I" and _on_interface(*words[7:])
    elif program == "ip":
        fits = words[:2] == ["address", "delete"] and words[3] == "dev" and _on_interface(words[4], words[2])
    else:
        fits = False
    if not fits:
        raise _refuse(" ".join(command))
    return command


def _on_interface(interface: str, address: str) -> bool:
    ipaddress.ip_interface(address)
    return re.fullmatch(r"[A-Za-z0-9_.:@-]{1,15}", interface) is not None and not interface.startswith("-")


def _permit(given: bool) -> None:
    """Let the interlock start a server once although nobody can be asked, or not any more."""
    if given:
        directories.write(places.PERMISSION, "")
    else:
        directories.unlink(places.PERMISSION)


def _is_beside(scope: Scope, path: str) -> bool:
    data = scope.data_directory.rstrip("/")
    return path == data or (path.startswith((f"{data}.hawq-", f"{data}.kept-")) and ".." not in path)


def _note(scope: Scope, path: str) -> str:
    own = (places.unfinished(scope.data_directory), places.request(scope.data_directory), places.SNAPSHOT_LOG)
    if not scope.data_directory or path not in own:
        raise _refuse(f"write {path}")
    return path


def _make_directory(scope: Scope, path: str, mode: int) -> None:
    """Make one where the operator has named it, or outside of the system's own directories."""
    beside = _is_beside(scope, path)
    named = beside or any(path == each or path.startswith(f"{each.rstrip('/')}/") for each in scope.named)
    if ".." in path.split("/") or (not named and _system(path)):
        raise MirroringError(
            f"{path} does not exist, and its name comes from the database, so root makes no directory in a place of the"
            f" system's: make it yourself (install -d -o {scope.user} -m 0700 {path}), then run this again"
        )
    # an earlier version's staging places are root's; an empty directory that the operator has named is meant for it
    adopt = (beside and ".hawq-" in path) or (named and directories.is_empty(path))
    directories.make(path, _account(scope), mode & 0o755, adopt)


def _system(path: str) -> bool:
    """Whether a path is in one of the system's own directories, links followed as far as it exists."""
    return any(each.split("/")[1] in SYSTEM for each in (path, os.path.realpath(path)))


def _start_job(scope: Scope, run: Runner, job: dict[str, t.Any]) -> None:
    """Start the snapshot's transient unit, all of whose programs run as the user."""
    properties = {
        "User": scope.user,
        "UMask": "0077",
        **dict.fromkeys(CONFINED, "yes"),
        "CapabilityBoundingSet": "",
        "WorkingDirectory": "/",
        "TimeoutStartSec": f"{int(job['timeout'])}s",
        "TimeoutStopSec": "10s",
        "StandardOutput": f"append:{places.SNAPSHOT_LOG}",
        "StandardError": f"append:{places.SNAPSHOT_LOG}",
        "ExecStartPre": _quoted(job["before"]),
        # without +, which systemd 252 forgets at a daemon-reload
        "ExecStartPost": _quoted(job["after"]),
    }
    command = [
        "systemd-run",
        f"--unit={SNAPSHOT_UNIT}",
        "--quiet",
        "--no-block",
        "--service-type=oneshot",
        "--remain-after-exit",
    ]
    command += [f"--property={name}={value}" for name, value in properties.items()]
    directories.write(places.SNAPSHOT_LOG, "")  # what systemd makes with this umask the user could not read
    code, _output, errors = run([*command, "--", *map(str, job["command"])])
    if code != 0 and "already" not in errors:
        raise MirroringError(f"systemd-run could not start the snapshot job: {' '.join(errors.split())}")


def _quoted(words: list[str]) -> str:
    """Quote a command for systemd-run's Exec properties: as in a unit file, but specifiers (%) are not expanded."""

    def one(word: str) -> str:
        for raw, escaped in (("\\", "\\\\"), ('"', '\\"'), ("$", "$$"), ("\n", "\\n")):
            word = word.replace(raw, escaped)
        return f'"{word}"'

    quoted = " ".join(one(word) for word in words)
    if not words or words[0][:1] != "/":
        raise _refuse(f"start {quoted}")
    return quoted


def _write_extension(directory: str, name: str, text: str) -> None:
    if EXTENSION_FILE.fullmatch(name) is None:
        raise _refuse(f"write {name}")
    if not os.path.exists(os.path.join(directory, "plpgsql.control")):
        raise OSError(errno.ENOENT, "this is no extension directory", directory)
    directories.write(os.path.join(directory, name), text)
