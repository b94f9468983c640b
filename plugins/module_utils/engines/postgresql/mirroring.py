# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The state of mirroring as clients of the master see it, and waiting for it."""

from __future__ import annotations

import time
import typing as t

from ...host.errors import MirroringError
from ...host.module import Instance
from ...host.run import Runner
from . import answer, damage, database, recovering, server_info

#: what can be waited for beside the states: that the server gives sessions, or is a standby that replays without
SESSION, RECOVERING = "session", "recovering"
PAUSED = "SELECT pg_is_in_recovery() AND pg_is_wal_replay_paused() AS paused"


class _Asked(t.NamedTuple):
    """The view's row (an empty one where there is no view), or None, and why there is none."""

    row: dict[str, t.Any] | None
    why: MirroringError | None = None
    #: settings with which its replay cannot go on
    small: dict[str, int] | None = None


def _ask(instance: Instance, run: Runner, standby: str | None) -> _Asked:
    try:
        with database.session(instance) as cursor:
            paused = database.rows(cursor, PAUSED)
            small = recovering.too_small(instance, run, cursor) if paused and paused[0]["paused"] else {}
            if not database.rows(cursor, server_info.VIEW_EXISTS)[0]["there"]:
                return _Asked(_words("no view"), None, small)
            mirrors = database.rows(cursor, server_info.MIRRORS) if standby else []
            mine = [row for row in mirrors if row.pop("standby") == standby]
            return _Asked((mine or database.rows(cursor, server_info.VIEW))[0], None, small)
    except MirroringError as error:
        return _Asked(None, error)


def _words(message: str) -> dict[str, t.Any]:
    return {"summary_state": None, "detail_state": None, "since": None, "error_message": message}


def state(
    instance: Instance, run: Runner, act: bool, *, wait_for: str | None, standby: str | None, timeout: int, advice: str
) -> dict[str, t.Any]:
    """Ask until the answer fits or the time is up; once without ``act``. A final answer ends the wait at once."""
    begin, watch = time.monotonic(), recovering.Watch(instance, run)
    while True:
        asked = _ask(instance, run, standby)
        row, waited = asked.row, round(time.monotonic() - begin, 2)
        # while systemd has yet to start or restart it, it may be stopped, or the session with the server of before
        unsettled = (row is None or wait_for == SESSION) and recovering.has_job(instance, run)
        if act and not unsettled:
            _raise_what_is_final(instance, run, asked, wait_for, advice)
        if row and unsettled:
            row, asked = None, _Asked(None, MirroringError("its unit is still being started or stopped"))
        if row and wait_for in (None, SESSION, RECOVERING, row["summary_state"]):
            return {"changed": False, "mirroring": row, "waited": waited}
        if wait_for == RECOVERING and watch.recovers():
            return {"changed": False, "mirroring": _words(str(asked.why)), "waited": waited}
        if not act:
            return {"changed": False, "mirroring": row or {}, "waited": waited}
        if wait_for is None or waited > timeout:
            trouble = _trouble(asked, wait_for, waited) + recovering.start(instance, run)
            raise MirroringError(
                f"{trouble}. Look at the logs of both servers (journalctl -u {instance.service}). {advice}".rstrip(),
                mirroring=row or {},
                waited=waited,
            )
        time.sleep(0.1)


def _raise_what_is_final(instance: Instance, run: Runner, asked: _Asked, wait_for: str | None, advice: str) -> None:
    """Raise when the server has given an answer after which there is no sense in waiting."""
    if asked.small and wait_for:
        raise recovering.smaller(asked.small)
    if asked.why is None:
        return
    died = recovering.last_words(instance, run)
    if died is not None:
        last = died.rstrip(". ") or "no log"
        raise MirroringError(f"the server of {instance.service} has stopped: {last}. {advice}".rstrip(" ."))
    said = answer.of(instance, asked.why)
    if said and said.code in damage.CODES:
        damaged = f"the server of {instance.service} finds its data damaged ({said.words})"
        raise MirroringError(f"{damaged}. It will not get better by waiting. {advice}".rstrip(" ."), damaged=damaged)
    if wait_for == SESSION and recovering.gives_no_sessions(instance):
        raise MirroringError(
            f"the standby of {instance.service} replays, and gives no sessions by its configuration (hot_standby). Set"
            f" hot_standby = on there and restart it: systemctl restart {instance.service}. {advice}".rstrip(" .")
        )


def _trouble(asked: _Asked, wait_for: str | None, waited: float) -> str:
    """Say what has not come, and what is there instead."""
    if asked.row is None and wait_for in (None, SESSION, RECOVERING):
        what = f"no session with the server after {waited:.0f} s"
    else:
        what = f"mirroring is not {wait_for} after {waited:.0f} s"
    reason = str(asked.why)
    if asked.row:
        words = (asked.row["summary_state"], asked.row["detail_state"], asked.row["error_message"])
        reason = ": ".join(text for text in words if text) or "the view says nothing"
    return f"{what} ({reason})"
