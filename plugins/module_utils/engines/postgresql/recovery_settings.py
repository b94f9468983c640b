# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings without which a standby could not replay on or become the master: written, and its server restarted.

Source: PostgreSQL manual, "Hot Standby", "Administrator's Overview": a standby whose settings are smaller than its
primary's pauses its replay, must be restarted with larger ones, and must not be let go on before that.
"""

from __future__ import annotations

import os
import time
import typing as t

from ...host import files, user_places
from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ...values import settings_file, text
from ..table import POSTGRESQL
from . import database, recovering

RUNNING = "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)"


def change(
    instance: Instance, run: Runner, act: bool, *, settings: dict[str, t.Any], directories: list[str], timeout: int
) -> dict[str, t.Any]:
    """Write what the configuration lacks, restart the server unless it runs with that, and wait until it replays.

    The directories are those of tablespaces that the WAL makes: the server ends where one is missing.
    """
    wanted = {name: str(value) for name, value in settings.items()}
    place = instance.data_directory
    if not os.path.exists(os.path.join(place, "standby.signal")):
        raise MirroringError(f"{place} is no standby's (it has no standby.signal): look at both hosts with state.yml")
    path = os.path.join(place, "postgresql.auto.conf")
    configured, server = recovering.configured(instance, run, wanted), recovering.pid(instance)
    missing = {name: value for name, value in wanted.items() if not suffices(name, configured[name], value)}
    runs_with = _running(instance, wanted) if server and wanted else {}
    late = [name for name, value in wanted.items() if name in runs_with and not suffices(name, runs_with[name], value)]
    # of one that gives no session nobody knows what it runs with, unless what is written is older than it is
    if server and not runs_with and _server_is_older(instance, path):
        late = list(wanted)
    restart = server is None or bool(missing) or bool(late)
    made = [each for each in map(text.raw, directories) if not os.path.isdir(each)]
    for each in made if act else []:
        user_places.make(each)
    if missing and act:
        files.write(path, settings_file.edit(files.read(path) or "", dict(missing)), act=True)
        _see_that_they_count(instance, run, missing)
    if restart and act:
        _restart(instance, run, server, timeout)
    return {
        "changed": restart or bool(made),
        "restarted": restart,
        "made": made,
        "diff": {
            "before": {
                **dict.fromkeys(made, "absent"),
                "server": "runs" if server else "stopped",
                **configured,
                **{name: runs_with.get(name, "not known") for name in late},
            },
            "after": {
                **dict.fromkeys(made, "present"),
                "server": "runs",
                **configured,
                **missing,
                **{name: wanted[name] for name in late},
            },
        },
    }


def suffices(name: str, has: str, wanted: str) -> bool:
    """Whether a setting is what is wanted, or, where the master may have less of it, a number that is not smaller."""
    if name in POSTGRESQL.standby_settings:
        return has == wanted
    return int(has) >= int(wanted) if has.isdigit() and wanted.isdigit() else has == wanted


def _running(instance: Instance, wanted: dict[str, str]) -> dict[str, str]:
    """Return what the server runs with; nothing where it gives no session."""
    try:
        with database.session(instance) as cursor:
            return {row["name"]: str(row["setting"]) for row in database.rows(cursor, RUNNING, (list(wanted),))}
    except MirroringError:
        return {}


def _server_is_older(instance: Instance, path: str) -> bool:
    """Whether the running server has been started before the file was written; both are known to the second."""
    started = database.postmaster(instance).get("started")
    return started is not None and os.path.exists(path) and int(os.path.getmtime(path)) > int(started)


def _see_that_they_count(instance: Instance, run: Runner, wanted: dict[str, str]) -> None:
    """Raise when a line that is read later wins: a restart would be for nothing."""
    now = recovering.configured(instance, run, wanted)
    lost = [name for name, value in wanted.items() if not suffices(name, now[name], value)]
    if lost:
        raise MirroringError(
            f"{' and '.join(lost)} was written into postgresql.auto.conf, and the server would still take"
            f" {', '.join(now[name] for name in lost)}: correct the configuration in {instance.config_directory}, then"
            " run this again"
        )


def _restart(instance: Instance, run: Runner, old: int | None, timeout: int) -> None:
    """Restart or start the server, and wait, bounded, until it replays; sessions may never come."""
    deadline = time.monotonic() + timeout
    run.root(["systemctl", "reset-failed", instance.service], timeout=10)
    code, _output, errors = run.root(["systemctl", "restart", "--no-block", instance.service], timeout=30)
    if code != 0:
        raise MirroringError(f"{instance.service} could not be restarted: {' '.join(errors.split())}")
    watch = recovering.Watch(instance, run)
    while True:
        now = recovering.pid(instance)
        if now not in (None, old) and watch.recovers():
            return
        # between its stop and its start the unit is inactive, too
        settled = now is None and not recovering.has_job(instance, run)
        if settled and recovering.last_words(instance, run) is not None:
            raise recovering.ended(instance, run, "the standby did not come back with the new settings")
        if time.monotonic() > deadline:
            raise MirroringError(
                f"the standby was restarted and does not replay after {timeout} s: look at journalctl -u"
                f" {instance.service}, then run this again"
            )
        time.sleep(0.1)
