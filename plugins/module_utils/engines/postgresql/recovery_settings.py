# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings without which a standby could not replay on or become the master: written, and its server restarted.

Source: PostgreSQL manual, "Hot Standby", "Administrator's Overview": a standby whose settings are smaller than its
primary's pauses its replay, must be restarted with larger ones, and must not be let go on before that.
"""

from __future__ import annotations

import os
import time
import typing as t

from ...host import files
from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from ...values import settings_file
from ..table import POSTGRESQL
from . import database, recovering

RUNNING = "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)"


def change(instance: Instance, run: Runner, act: bool, *, settings: dict[str, t.Any], timeout: int) -> dict[str, t.Any]:
    """Write what the configuration lacks, restart the server unless it runs with that, and wait until it replays."""
    wanted = {name: str(value) for name, value in settings.items()}
    place = instance.data_directory
    if not os.path.exists(os.path.join(place, "standby.signal")):
        raise MirroringError(f"{place} is no standby's (it has no standby.signal): look at both hosts with state.yml")
    path = os.path.join(place, "postgresql.auto.conf")
    configured, server = recovering.configured(instance, run, wanted), recovering.pid(instance)
    missing = {name: value for name, value in wanted.items() if not suffices(name, configured[name], value)}
    runs_with = _running(instance, wanted) if server else {}
    late = [name for name, value in wanted.items() if name in runs_with and not suffices(name, runs_with[name], value)]
    restart = server is None or bool(missing) or bool(late)
    if missing and act:
        files.write(path, settings_file.edit(files.read(path) or "", dict(missing)), act=True)
        _see_that_they_count(instance, run, missing)
    if restart and act:
        _restart(instance, run, server, timeout)
    return {
        "changed": restart,
        "restarted": restart,
        "diff": {
            "before": {
                "server": "runs" if server else "stopped",
                **configured,
                **{name: runs_with[name] for name in late},
            },
            "after": {"server": "runs", **configured, **missing, **{name: wanted[name] for name in late}},
        },
    }


def suffices(name: str, has: str, wanted: str) -> bool:
    """Whether a setting is what is wanted, or, where the master may have less of it, a number that is not smaller."""
    if name in POSTGRESQL.standby_settings:
        return has == wanted
    return int(has) >= int(wanted) if has.isdigit() and wanted.isdigit() else has == wanted


def _running(instance: Instance, wanted: dict[str, str]) -> dict[str, str]:
    """Return what the server runs with; nothing where it gives no session and is believed to run with them."""
    try:
        with database.session(instance) as cursor:
            return {row["name"]: str(row["setting"]) for row in database.rows(cursor, RUNNING, (list(wanted),))}
    except MirroringError:
        return {}


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
        if now is None and recovering.last_words(instance, run) is not None:
            raise recovering.ended(instance, run, "the standby did not come back with the new settings")
        if time.monotonic() > deadline:
            raise MirroringError(
                f"the standby was restarted and does not replay after {timeout} s: look at journalctl -u"
                f" {instance.service}, then run this again"
            )
        time.sleep(0.1)
