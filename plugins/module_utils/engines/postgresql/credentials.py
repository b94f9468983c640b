# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether one host's replication password is where and what it should be. The password itself is never told.

Sources: PostgreSQL manual, "The Password File", "Streaming Replication Protocol".
"""

from __future__ import annotations

import os
import pwd
import typing as t

from ...host import account, files, network
from ...host.errors import MirroringError
from ...host.module import Instance
from ...values import conninfo, observation, scram, text
from . import database, server_info

LOGIN_SECONDS = 2


def observe(
    instance: Instance,
    replication: dict[str, t.Any],
    server: observation.Server | None,
    told: dict[str, str],
    probes: list[observation.Probe],
) -> observation.Credentials:
    """Return what the password file holds for the role, whether the server here accepts it, and the other host's.

    ``replication`` has role and password file, ``told`` is the connection that the data directory is told to replicate
    over. Where a stopped server has never been told any, one that answers is asked: it was a master until now.
    """
    home, role = account.user(instance)["home"], replication["role"]
    path = replication["passfile"] or os.path.join(home or "/nonexistent", ".pgpass")
    fields = [conninfo.passfile_fields(line) for line in text.lines_of(files.text_of(path) or "")]
    ours = [row for row in fields if row and row[2:4] == ["replication", role]]
    passwords = {row[4] for row in ours}
    there = [probe for probe in probes if told and probe["open"] and probe["address"] == told.get("host")]
    if told:
        ask = told if any(probe["answers"] for probe in there) else {}
    else:
        answering = [probe for probe in probes if probe["answers"] and passwords and not server]
        ask = {"host": answering[0]["address"], "port": str(answering[0]["port"])} if answering else {}
        ask.update({"user": role, "passfile": path} if ask else {})
    return {
        "path": path,
        "private": _is_private(path, instance.user),
        "servers": [row[:2] for row in ours],
        "consistent": len(passwords) == 1,
        "accepted": _accepted(instance, role, passwords) if server and not server["standby"] else None,
        "login": login(ask) if ask else next((network.NO_ANSWER.format(probe["port"]) for probe in there), None),
    }


def _is_private(path: str, user: str) -> bool:
    try:
        found, owner = os.lstat(path), pwd.getpwnam(user)
    except (OSError, KeyError):
        return False
    return (found.st_uid, found.st_gid, found.st_mode) == (owner.pw_uid, owner.pw_gid, 0o100600)


def _accepted(instance: Instance, role: str, passwords: set[str]) -> bool:
    try:
        with database.session(instance) as cursor:
            found = [row for row in server_info.replication_role(cursor, role) if row["may_replicate"]]
    except MirroringError:
        return False
    return bool(found) and any(scram.matches(password, found[0]["rolpassword"]) for password in passwords)


def login(told: dict[str, str]) -> str:
    """Open a replication connection as the standby does; return "accepted", or what the server answered."""
    return database.replication_answer(conninfo.render(conninfo.allowed(told, {"connect_timeout": LOGIN_SECONDS})))
