# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The state of mirroring as clients of the master see it, and waiting for it."""

from __future__ import annotations

import time
import typing as t

from ...host import systemd
from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from . import database, server_info

#: what can be waited for beside the states: that the server gives sessions
SESSION = "session"


def _ask(instance: Instance, standby: str | None) -> tuple[dict[str, t.Any] | None, str]:
    """Return the view's row, an empty one where there is no view; without a session None, and the reason."""
    try:
        with database.session(instance) as cursor:
            if not database.rows(cursor, server_info.VIEW_EXISTS)[0]["there"]:
                return {"summary_state": None, "detail_state": None, "since": None, "error_message": "no view"}, ""
            mirrors = database.rows(cursor, server_info.MIRRORS) if standby else []
            mine = [row for row in mirrors if row.pop("standby") == standby]
            return (mine or database.rows(cursor, server_info.VIEW))[0], ""
    except MirroringError as error:
        return None, str(error)


def _last_words(instance: Instance, run: Runner) -> str | None:
    """Return what the server's unit logged last, or nothing while it runs."""
    if systemd.unit(run, instance.service)["active"] in ("active", "activating", "reloading"):
        return None
    _code, output, _errors = run.root(["journalctl", "--unit", instance.service, "-n", "4", "-o", "cat"], timeout=10)
    return " | ".join(output.split("\n")).strip(" |")


def state(
    instance: Instance, run: Runner, act: bool, *, wait_for: str | None, standby: str | None, timeout: int, advice: str
) -> dict[str, t.Any]:
    """Ask until the answer fits or the time is up; once without ``act``."""
    begin = time.monotonic()
    while True:
        row, reason = _ask(instance, standby)
        waited = round(time.monotonic() - begin, 2)
        # while systemd has yet to start or restart it, it may be stopped, or the session with the server of before
        unsettled = (row is None or wait_for == SESSION) and _has_job(instance, run)
        died = _last_words(instance, run) if row is None and not unsettled else None
        if died is not None and act:
            last = died.rstrip(". ") or "no log"
            raise MirroringError(f"the server of {instance.service} has stopped: {last}. {advice}".rstrip(" ."))
        if row and unsettled:
            row, reason = None, "its unit is still being started or stopped"
        if row and wait_for in (None, SESSION, row["summary_state"]):
            return {"changed": False, "mirroring": row, "waited": waited}
        if not act:
            return {"changed": False, "mirroring": row or {}, "waited": waited}
        if wait_for is None or waited > timeout:
            trouble = _trouble(row, reason, wait_for, waited) + _start(instance, run)
            raise MirroringError(
                f"{trouble}. Look at the logs of both servers (journalctl -u {instance.service}). {advice}".rstrip(),
                mirroring=row or {},
                waited=waited,
            )
        time.sleep(0.1)


def _has_job(instance: Instance, run: Runner) -> bool:
    """Whether systemd has yet to start, restart or stop the unit."""
    _code, output, _errors = run(["systemctl", "show", instance.service, "--property", "Job", "--value"], timeout=10)
    return output.strip() not in ("", "0")


def _start(instance: Instance, run: Runner) -> str:
    """Say what the unit's start waits for, if it does."""
    waits_for = systemd.unit(run, instance.service)["waits_for"]
    return f". Its start waits, and goes on by itself: {waits_for}" if waits_for else ""


def _trouble(row: dict[str, t.Any] | None, reason: str, wait_for: str | None, waited: float) -> str:
    """Say what has not come, and what is there instead."""
    if row is None and wait_for in (None, SESSION):
        what = f"no session with the server after {waited:.0f} s"
    else:
        what = f"mirroring is not {wait_for} after {waited:.0f} s"
    if row:
        words = (row["summary_state"], row["detail_state"], row["error_message"])
        reason = ": ".join(text for text in words if text) or "the view says nothing"
    return f"{what} ({reason})"
