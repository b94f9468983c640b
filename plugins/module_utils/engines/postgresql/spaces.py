# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The places of tablespaces: what is there, whose it is, and what a stopped standby will need when it replays on.

Sources: PostgreSQL manual, "CREATE TABLESPACE"; ``tablespace.c`` of PostgreSQL: a standby ends at the record of a new
tablespace whose directory is missing, or is not its user's, and files lie in a directory for each catalog version.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import typing as t

from ...host import account, directories, files, mounts, quota, services
from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ...values import lsn, observation, wal
from . import wal_files, wal_held

SECONDS = 2
VERSION = re.compile(r"PG_\d+_\d+")
CREATED = re.compile(r'desc: CREATE (\d+) "(.*)"$', re.M)


def observe(
    instance: Instance, run: Runner, control: observation.Control | None, histories: wal_held.Histories, stopped: bool
) -> list[observation.Space]:
    """Return where the tablespaces of the data are, and where those go that a stopped standby has yet to replay."""
    there = links(instance.data_directory)
    new = created(instance, run, control, histories) if stopped and control and control["as_master"] is False else {}
    rows = [*((number, path, True) for number, path in there.items())]
    rows += [(number, path, False) for number, path in new.items() if there.get(number) != path]
    users = servers() if rows else {}
    return [_space(*row, users, instance.data_directory) for row in rows]


def version(control: dict[str, t.Any], major: str | None) -> str | None:
    """Return the name of the directory that the files of a data directory have in each place."""
    catalog = control.get("catalog_version")
    return f"PG_{major}_{catalog}" if major and catalog else None


def links(data_directory: str) -> dict[str, str]:
    """Return where the tablespaces of a data directory are, by their numbers."""
    place = os.path.join(data_directory, "pg_tblspc")
    found = {}
    for name in account._names(place):
        if name.isdigit() and os.path.islink(os.path.join(place, name)):
            found[name] = os.readlink(os.path.join(place, name))
    return found


def created(
    instance: Instance, run: Runner, control: observation.Control, histories: wal_held.Histories
) -> dict[str, str]:
    """Return the tablespaces that are made in the WAL that a standby holds and replays when it starts."""
    size, begin = control["wal_segment_bytes"], control["redo_lsn"]
    if not size or not begin:
        return {}
    known = max(control["timeline"], control["min_recovery_timeline"] or 0)
    found: dict[str, str] = {}
    try:
        names = wal_held.held(wal_files.directory(instance), wal_held.chains(histories, known), begin, size)
        for timeline, each in itertools.groupby(names, key=lambda name: int(name[:8], 16)):
            part = list(each)
            start = max(begin, wal.begin_of(part[0][8:], size), key=lsn.parse)
            end = None if part[-1] == names[-1] else wal.begin_of(part[-1][8:], size, 1)
            command = wal_files.dump(instance, timeline, start, end, size)
            if command:
                _code, output, _errors = run([command[0], "--rmgr=Tablespace", *command[1:]], timeout=SECONDS)
                found.update(CREATED.findall(output))
    except (OSError, ValueError, MirroringError):
        pass
    return found


def _space(number: str, path: str, linked: bool, users: dict[str, set[str]], data_directory: str) -> observation.Space:
    total = shutil.disk_usage(account._parent_on_disk(path)).total
    return {**directory(path, data_directory, users), "oid": number, "linked": linked, "total_bytes": total}


def directory(path: str, data_directory: str = "", users: dict[str, set[str]] | None = None) -> observation.Directory:
    """Return what is at the place of a tablespace, or of one that would go there; ``users`` are the servers."""
    users = servers() if users is None else users
    entries, place = account._names(path), account._parent_on_disk(path)
    trouble, only_named = usable(path, data_directory)
    return {
        "path": path,
        "there": "directory" if os.path.isdir(path) else "other" if os.path.lexists(path) else "nothing",
        "unmounted": mounts.unmounted(path),
        "entries": entries[:5],
        "foreign": any(not VERSION.fullmatch(name) for name in entries),
        "versions": [name for name in entries if VERSION.fullmatch(name)],
        "used_by": sorted(data for data, places in users.items() if entries and os.path.realpath(path) in places),
        "trouble": trouble,
        "closed": closed(path),
        "only_named": only_named,
        "free_bytes": quota.room(place).free,
        "device": os.stat(place).st_dev,
    }


def usable(path: str, data_directory: str = "") -> tuple[str | None, bool]:
    """Return why this is no place for the user and becomes none, and whether root makes it one only when it is named.

    What the user cannot look at is not known to be wrong: root decides when it is made.
    """
    if os.path.isdir(path):
        if os.stat(path).st_uid == os.geteuid():
            return None, False
        return (None, True) if directories.is_empty(path) else (f"it belongs to {_owner(path)}", False)
    above = os.path.dirname(path.rstrip("/"))
    while not os.path.lexists(above) and above != "/":
        above = os.path.dirname(above)
    if os.path.lexists(path):
        return "it is a link that leads nowhere" if os.path.islink(path) else "it is no directory", False
    if not os.path.isdir(above):
        return f"{above} above it is no directory", False
    if not os.access(above, os.X_OK):  # root could make it, and no server could get there
        return f"{above} above it lets {account.acting()} not in", False
    if _makes_in(above):
        return None, False
    return _by_root(path, above, data_directory)


def _makes_in(above: str) -> bool:
    """Whether this user makes something there: in its own directory, too, whatever the mode of that says.

    An empty directory of another one in its own is replaced, as user_places.make does it.
    """
    if os.stat(above).st_uid == os.geteuid() or os.access(above, os.W_OK | os.X_OK):
        return True
    try:
        return not os.listdir(above) and os.stat(os.path.dirname(above)).st_uid == os.geteuid()
    except OSError:
        return False


def closed(path: str) -> str | None:
    """Return the directory above a place that does not let this user in; None where none keeps it out."""
    above = path
    while not os.path.lexists(above) and above != "/":
        above = os.path.dirname(above.rstrip("/"))
    return above if above != path and os.path.isdir(above) and not os.access(above, os.X_OK) else None


def no_room(path: str) -> str | None:
    """Return why nothing can be made at a place that the operator has named, by the user or by root."""
    return usable(path)[0] if not os.path.lexists(path) else None


def _by_root(path: str, above: str, data_directory: str) -> tuple[str | None, bool]:
    try:
        with directories.opened(above):
            pass
    except PermissionError as error:
        # where this user cannot look root can
        return (None, False) if error.strerror == os.strerror(error.errno or 0) else (str(error.strerror), False)
    except OSError as error:
        return str(error.strerror), False
    return None, not services.is_open(path, data_directory)


def _owner(path: str) -> str:
    return account.name_of(os.stat(path).st_uid)


def servers() -> dict[str, set[str]]:
    """Return the data directories of running servers of the same user, each with the places of its tablespaces."""
    found = {}
    for name in filter(str.isdigit, account._names("/proc")):
        try:
            data = os.readlink(f"/proc/{name}/cwd")
            pid = (files.text_of(os.path.join(data, "postmaster.pid")) or "").partition("\n")[0]
        except OSError:
            continue
        if pid == name:
            found[data] = {os.path.realpath(target) for target in links(data).values()}
    return found
