# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A server that the unit or the port of an inventory means, and that runs in another data directory than it says.

What is not looked for: a server of another port and unit, which may be that of another cluster of the same host.
Sources: PostgreSQL manual, "Database File Layout" (postmaster.pid, postmaster.opts); proc(5).
"""

from __future__ import annotations

import os
import re
import typing as t

from ...host import account, files, network, systemd
from ...host.module import Instance
from ...host.run import Runner
from ...values import control_data
from ..table import POSTGRESQL

if t.TYPE_CHECKING:
    from ...values.observation import Elsewhere, Process


def observe(instance: Instance, run: Runner, process: Process) -> Elsewhere | None:
    """Return it; None where the server of the inventory's data directory has its port, or nothing runs there."""
    if process["running"] and process["pidfile"].get("port") == instance.port:
        return None
    main = systemd.main_pid(run, instance.service)
    listens = network.listening(instance.port)
    for pid in [*([main] if main else []), *(_pids() if listens else [])]:
        place = _place(pid)
        if not place or _is_named(place, instance):
            continue
        told = control_data.parse_postmaster_pid(files.text_of(os.path.join(place, "postmaster.pid")) or "")
        port = int(told["port"]) if told.get("pid") == pid and "port" in told else None
        if pid == main or port == instance.port:
            unit = instance.service if pid == main else None
            return {"path": place, "port": port, "unit": unit, "system_identifier": _system(instance, run, place)}
    return None


def _pids() -> list[int]:
    """Return the processes of this user."""
    return [int(name) for name in account._names("/proc") if name.isdecimal() and _owner(name) == os.geteuid()]


def _owner(pid: str) -> int | None:
    try:
        return os.stat(f"/proc/{pid}").st_uid
    except OSError:  # it has ended meanwhile
        return None


def _place(pid: int) -> str | None:
    """Return the data directory that a server's first process works in; of another user's what it was told."""
    words = (files.text_of(f"/proc/{pid}/cmdline") or "").split("\0")
    if os.path.basename(words[0]) not in (POSTGRESQL.words.server_program, "postmaster"):
        return None
    try:
        place = os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        told = re.search(r"\0(?:-D\0?|--pgdata=)([^\0]+)", "\0".join(words))
        return told[1].rstrip("/") if told else None
    # one that has just been started has not gone to its place yet
    return place if os.path.exists(os.path.join(place, "PG_VERSION")) else None


def _is_named(place: str, instance: Instance) -> bool:
    named = (instance.data_directory, instance.config_directory)
    return os.path.realpath(place) in [os.path.realpath(each) for each in named]


def _system(instance: Instance, run: Runner, place: str) -> str | None:
    """Return the identifier of its system, if its control file may be read."""
    program = instance.program("pg_controldata")
    if not os.access(program, os.X_OK) or not os.access(os.path.join(place, "global", "pg_control"), os.R_OK):
        return None
    code, output, _errors = run([program, place], timeout=10)
    found = control_data.parse(output).get("system_identifier") if code == 0 else None
    return str(found) if found else None
