# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Making a data directory a standby's of the master.

Source: PostgreSQL manual, "Standby Server Operation", "Setting Up a Standby Server".
"""

from __future__ import annotations

import os
import signal
import typing as t

from ...host import files
from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ...values import conninfo, settings_file
from . import database, deployment, observe, recovering, stopping


def follow(
    instance: Instance,
    run: Runner,
    act: bool,
    *,
    directory: str | None,
    copy_id: int | None,
    primary: dict[str, t.Any],
    slot: str,
    settings: dict[str, t.Any],
    reload: bool,
    resume: bool,
) -> dict[str, t.Any]:
    """Signal first: without it the server would become a master of its own."""
    if not directory or (act and deployment.is_deployed(instance, copy_id)):
        directory = instance.data_directory
    told = conninfo.render(conninfo.allowed(primary, conninfo.KEEPALIVE))
    wanted = {
        "primary_conninfo": told,
        "primary_slot_name": slot,
        **{name: None if value is None else str(value) for name, value in settings.items()},
    }
    before, changed = _tell(directory, wanted, act)
    process = observe.process(instance, database.postmaster(instance))
    if not process["running"] and act:
        stopping.end_rewind(instance.data_directory)
        # starts that failed while it was told otherwise would count against the next one
        run.root(["systemctl", "reset-failed", instance.service], timeout=10)
    if (changed or reload) and process["pid"] and directory == instance.data_directory and act:
        os.kill(process["pid"], signal.SIGHUP)
    if resume and act:
        with database.session(instance) as cursor:
            small = recovering.too_small(instance, run, cursor)
            if small:  # it would end the server
                raise recovering.smaller(small)
            cursor.execute("SELECT pg_wal_replay_resume()")
    shown = [
        "".join(f"{name} = {value}\n" for name, value in state.items() if value is not None)
        for state in (before, wanted)
    ]
    diff = {"before": shown[0], "after": shown[1]}
    return {"changed": changed or resume, "primary_conninfo": told, "diff": diff}


def _tell(directory: str, wanted: dict[str, str | None], act: bool) -> tuple[dict[str, str | None], bool]:
    """Write the signal and the settings; return the settings of before, and whether anything differs."""
    if not os.path.isdir(directory):
        if act:
            raise MirroringError(f"{directory} does not exist: run the whole playbook again")
        return {}, True
    path = os.path.join(directory, "postgresql.auto.conf")
    text = files.read(path) or ""
    now = settings_file.parse(text)
    signalled = files.write(os.path.join(directory, "standby.signal"), "", act=act)
    changed = files.write(path, settings_file.edit(text, wanted), act=act) or signalled
    return {name: now.get(name) for name in wanted}, changed
