# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The few things that root does for a process of the server's user, each after looking at what is asked for.

Whoever has taken that user over may ask for each of them: none may give more than the user has. What it can do with
them stands in SECURITY.md.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import json
import os
import pwd
import re
import typing as t

from ..values import identity, places
from . import directories, lock, neighbours, programs, separation
from .errors import MirroringError
from .run import Runner

VERBS = ("start", "stop", "restart", "reload", "reset-failed")
#: what is read of the end of a unit's log
LAST_LINES = [["-n", number, "-o", "cat"] for number in ("4", "20", "60")]
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
#: what stands behind the data directory's name in those of the places beside it, and in them
BESIDE = re.compile(
    r"|\.hawq-[a-z]+(/(unverified-copy|old|verdict))?|\.hawq-lost-[0-9A-F]+-[0-9A-F]+(/pg_wal)?|\.kept-\d{8}T\d{6}"
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
    #: the address that follows the master (with its prefix) and its interface, if there is one
    address: tuple[str, str] = ("", "")
    #: texts of the extension's files, as the operator's collection has them
    texts: tuple[str, ...] = ()


def offered(scope: Scope, run: Runner) -> separation.Services:
    """Return the services by their names."""
    held = {name: contextlib.ExitStack() for name in lock.LOCKS}
    return {
        "run": lambda command, timeout: run(_permitted(scope, command), timeout=float(timeout)),
        "address_elsewhere": lambda: _address_elsewhere(scope),
        "lock": lambda name: held[name].enter_context(lock.held(name, scope.unit)),
        "unlock": lambda name: held[name].close(),
        "permit": lambda run: _permit(scope, run),
        "mark_removed": lambda: _mark_removed(scope),
        "unmark_removed": lambda: directories.unlink(places.removed(scope.unit)),
        "make_directory": lambda path, mode: _make_directory(scope, path, mode),
        "rename": lambda old, new: _rename(scope, old, new),
        "remove_directory": lambda path: directories.remove(path, _account(scope)),
        "write": lambda path, text: directories.write(_note(scope, path), text),
        "unlink": lambda path: directories.unlink(_note(scope, path)),
        "start_job": lambda job: _start_job(scope, run, job),
        "write_extension": lambda place, name, text: directories.write(
            _extension_file(place, name), _known(scope, text)
        ),
        "unlink_extension": lambda place, name: directories.unlink(_extension_file(place, name)),
    }


def _account(scope: Scope) -> pwd.struct_passwd:
    return pwd.getpwnam(scope.user)


def _refuse(what: str) -> MirroringError:
    return MirroringError(f"root does not do this for the database's user: {what}")


def _permitted(scope: Scope, command: list[str]) -> list[str]:
    """Return a command that changes or reads no more than the cluster's own units and address; raise for any other."""
    try:
        if all(isinstance(word, str) for word in command) and _fits(scope, command[0], command[1:]):
            return command
    except (IndexError, ValueError):
        pass
    raise _refuse(" ".join(map(str, command)))


def _fits(scope: Scope, program: str, words: list[str]) -> bool:
    units = {
        *([scope.unit, f"{scope.unit}.service"] if scope.unit else []),
        places.snapshot_unit(scope.unit),
        programs.unit_name(programs.VIRTUAL_IP, scope.unit),
    }
    if program == "systemctl":
        asked = [word for word in words if word != "--no-block"]
        return len(asked) == 2 and asked[0] in VERBS and asked[1] in units
    if program == "journalctl":
        return words[0] == "--unit" and words[1] in units and words[2:] in LAST_LINES
    if program == "ip":
        return words[:2] + words[3:4] == ["address", "delete", "dev"] and _is_ours(scope, words[2], *words[4:])
    return False


def _is_ours(scope: Scope, address: str, *interface: str) -> bool:
    """Whether this is the address that follows the master, on its interface."""
    ours, its = scope.address
    return its != "" and interface == (its,) and ipaddress.ip_interface(address).ip == ipaddress.ip_interface(ours).ip


def _address_elsewhere(scope: Scope) -> dict[str, t.Any]:
    """Ask the neighbours and this host's configuration who else has the address that the operator has named."""
    address, interface = scope.address
    if not address or not interface:
        raise _refuse("ask who has an address")
    return {"answering": neighbours.answering(address, interface), "named_in": neighbours.named_in(address)}


def _permit(scope: Scope, run: str | None) -> None:
    """Let the interlock start a server once although nobody can be asked, or not any more: say which run allows it.

    The interlock believes a run's permission for two minutes: one that was killed before its start allows no later one.
    """
    if run is None:
        directories.unlink(places.permission(scope.unit))
    elif identity.is_one(run):
        directories.write(places.permission(scope.unit), f"{run}\n")
    else:
        raise _refuse("permit a start for what is no run")


def _mark_removed(scope: Scope) -> None:
    """Say that the data directory's data was deleted on purpose."""
    if not scope.data_directory:
        raise _refuse("say that data was deleted on purpose")
    directories.write(
        places.removed(scope.unit), json.dumps({"data_directory": scope.data_directory.rstrip("/")}) + "\n"
    )


def _is_beside(scope: Scope, path: str) -> bool:
    data = scope.data_directory.rstrip("/")
    rest = path[len(data) :] if data and path.startswith(data) else "/"
    return BESIDE.fullmatch(rest) is not None


def _is_named(scope: Scope, path: str) -> bool:
    return any(path == each or path.startswith(f"{each.rstrip('/')}/") for each in scope.named)


def _is_place(scope: Scope, path: str) -> bool:
    """Whether a database's files may be there: where the operator has named it, or outside of the system's own."""
    if not path.startswith("/") or ".." in path.split("/"):
        return False
    if _is_beside(scope, path) or _is_named(scope, path):
        return True
    return is_open(path, scope.data_directory)


def is_open(path: str, data_directory: str = "") -> bool:
    """Whether root makes a directory there although nobody but the database names it."""
    # at the top it could be a name that the system knows, unless the operator's own data is to be there
    return (
        not _system(path) and path.count("/") > 1 and (os.path.isdir(_top(path)) or _top(path) == _top(data_directory))
    )


def _top(path: str) -> str:
    return f"/{path.lstrip('/').partition('/')[0]}"


def _note(scope: Scope, path: str) -> str:
    own = (
        places.unfinished(scope.data_directory),
        places.request(scope.data_directory),
        places.snapshot_log(scope.unit),
    )
    if not scope.data_directory or path not in own:
        raise _refuse(f"write {path}")
    return path


def _make_directory(scope: Scope, path: str, mode: int) -> None:
    """Make one where the operator has named it, or outside of the system's own directories."""
    if not _is_place(scope, path):
        raise MirroringError(
            f"{path} does not exist, and its name comes from the database, so root makes no directory at the top or in"
            f" a place of the system's: make it yourself (install -d -o {scope.user} -m 0700 {path}), then run this"
            " again"
        )
    # an earlier version's staging places are root's; an empty directory that the operator has named is meant for it
    staging = _is_beside(scope, path) and path.startswith(f"{scope.data_directory.rstrip('/')}.hawq-")
    named = _is_beside(scope, path) or _is_named(scope, path)
    adopt = staging or (named and directories.is_empty(path))
    directories.make(path, _account(scope), mode & 0o755, adopt)


def _rename(scope: Scope, old: str, new: str) -> None:
    """Rename one between such places, or to its own name with that of kept data behind it, or back."""
    aside = places.is_kept(new, old) or places.is_kept(old, new)
    if ".." in f"{old}/{new}".split("/") or not (aside or (_is_place(scope, old) and _is_place(scope, new))):
        raise _refuse(f"rename {old} to {new}")
    directories.rename(old, new, _account(scope), new == scope.data_directory.rstrip("/"))


def _system(path: str) -> bool:
    """Whether a path is in one of the system's own directories, links followed as far as it exists."""
    return any(f"{each}/".lstrip("/").partition("/")[0] in SYSTEM for each in (path, os.path.realpath(path)))


def _start_job(scope: Scope, run: Runner, job: dict[str, t.Any]) -> None:
    """Start the snapshot's transient unit, all of whose programs run as the user."""
    log = places.snapshot_log(scope.unit)
    properties = {
        "User": scope.user,
        "UMask": "0077",
        **dict.fromkeys(CONFINED, "yes"),
        "CapabilityBoundingSet": "",
        "WorkingDirectory": "/",
        "TimeoutStartSec": f"{int(job['timeout'])}s",
        "TimeoutStopSec": "10s",
        "StandardOutput": f"append:{log}",
        "StandardError": f"append:{log}",
        "ExecStartPre": _quoted(job["before"]),
        # without +, which systemd 252 forgets at a daemon-reload
        "ExecStartPost": _quoted(job["after"]),
    }
    command = [
        "systemd-run",
        f"--unit={places.snapshot_unit(scope.unit)}",
        "--quiet",
        "--no-block",
        "--service-type=oneshot",
        "--remain-after-exit",
    ]
    command += [f"--property={name}={value}" for name, value in properties.items()]
    _quoted(job["command"])
    directories.write(log, "")  # systemd would make it for root's eyes only, or follow a link
    code, _output, errors = run([*command, "--", *job["command"]])
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


def _known(scope: Scope, text: str) -> str:
    """Return a text of the extension's: another cluster's superuser may install it, too."""
    if text not in scope.texts:
        raise _refuse("write another text than the collection's into the extension's files")
    return text


def _extension_file(directory: str, name: str) -> str:
    """Return the path of one of the collection's own files in an engine's extension directory; raise for any other."""
    if EXTENSION_FILE.fullmatch(name) is None:
        raise _refuse(f"write {name}")
    if not os.path.exists(os.path.join(directory, "plpgsql.control")):
        raise OSError(errno.ENOENT, "this is no extension directory", directory)
    return os.path.join(directory, name)
