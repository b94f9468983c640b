# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A password file in libpq's format: one line for each server that a role connects to.

Source: PostgreSQL manual, "The Password File".
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import typing as t

from ..values import conninfo, text
from . import files
from .errors import MirroringError

Parsed = list[tuple[str, t.Optional[list[str]]]]


def _lines(path: str) -> Parsed:
    """Return the lines, each with its fields where it has any."""
    if os.path.islink(path):
        raise MirroringError(f"{path} is a symbolic link: name the file itself with -e master_passfile=")
    return [(line, conninfo.passfile_fields(line)) for line in text.lines_of(files.read(path) or "")]


def _write(path: str, content: str, act: bool) -> bool:
    """Write the file, or what is in it where only root can put another in its place; return whether it differs."""
    with contextlib.suppress(OSError):
        found = os.stat(path)
        if (found.st_uid, stat.S_IMODE(found.st_mode)) == (os.geteuid(), 0o600) and files.read(path) == content:
            return False
    try:
        return files.write(path, content, act=act)
    except PermissionError:
        if not os.path.exists(path):
            raise
        files.rewrite(path, content)
        return True


def _unlink(path: str) -> None:
    try:
        with files.changing(os.path.dirname(path)):
            os.unlink(path)
    except PermissionError:
        files.rewrite(path, "")


def of_role(path: str, role: str) -> dict[str, t.Any]:
    """Return the lines of the role, which another host's file is to be like, and of nobody else."""
    own = [line for line, fields in _lines(path) if fields and fields[3] == role]
    return {
        "changed": False,
        "path": path,
        "exists": os.path.exists(path),
        "text": "".join(f"{line}\n" for line in own),
    }


def take_away(path: str, act: bool, *, role: str, ports: t.Sequence[int] = ()) -> dict[str, t.Any]:
    """Take every line of the role away, for whatever database, and the file when nothing else is in it.

    With ``ports`` only those of servers with these: another cluster of the user has the same role, on another port.
    """
    parsed = _lines(path)
    gone = [
        (line, fields)
        for line, fields in parsed
        if fields and fields[3] == role and (not ports or fields[1] in map(str, ports))
    ]
    kept = [line for line, fields in parsed if (line, fields) not in gone]
    changed = len(kept) < len(parsed)
    if changed and kept:
        _write(path, "".join(line + "\n" for line in kept), act)
    elif changed and act:
        _unlink(path)
    shown = "".join(":".join([*(fields or [])[:4], "(not shown)"]) + "\n" for _line, fields in gone)
    return {"changed": changed, "path": path, "exists": os.path.exists(path), "diff": {"before": shown, "after": ""}}


def keep(
    path: str, act: bool, *, role: str, database: str, servers: list[tuple[str, int]], like: str
) -> dict[str, t.Any]:
    """Hold one line for each server (address and port), and leave foreign lines alone.

    The password is the one that ``like``, another such file's text, holds for the role, else the one that is there,
    else a new one.
    """
    parsed = _lines(path)
    lines = [line for line, _fields in parsed]
    password = (
        conninfo.password_in(like, role) or conninfo.password_in("\n".join(lines), role) or secrets.token_urlsafe(32)
    )
    places = [(address, str(port)) for address, port in servers]
    replaced = [
        line for line, fields in parsed if fields and fields[2:4] == [database, role] and tuple(fields[:2]) in places
    ]
    new = [conninfo.passfile_line(address, port, database, role, password) for address, port in servers]
    if set(new) <= set(lines) and len(replaced) == len(new):
        content = "".join(line + "\n" for line in lines)
    else:
        content = "".join(line + "\n" for line in [*new, *(line for line in lines if line not in replaced)])
    changed = _write(path, content, act)
    shown = [
        "".join(conninfo.passfile_line(address, port, database, role, mask) + "\n" for address, port in servers)
        for mask in ("(not shown)", "(not shown, new)")
    ]
    before = shown[0] if replaced else ""
    return {
        "changed": changed,
        "path": path,
        "exists": os.path.exists(path),
        "diff": {"before": before if changed else shown[0], "after": shown[1] if changed else shown[0]},
    }
