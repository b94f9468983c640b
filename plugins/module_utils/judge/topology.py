# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who is what: from observations to master, standby and the state of mirroring. Pure: no I/O, no clock.

An observation is what the module instance_info returns, or ``{"reachable": False, "error": text}``.
"""

from __future__ import annotations

import typing as t

Observation = dict[str, t.Any]
Observations = dict[str, Observation]

MASTER = "master"
STANDBY = "standby"
STOPPED_STANDBY = "stopped standby"
STOPPED = "stopped"
SILENT = "silent"
FROZEN = "frozen"
EMPTY = "empty"
OTHER = "other"
UNREACHABLE = "unreachable"

NOT_CONFIGURED = "Not Configured"
SYNCHRONIZING = "Synchronizing"
SYNCHRONIZED = "Synchronized"
NOT_SYNCHRONIZED = "Not Synchronized"

_DESCRIPTIONS = {
    MASTER: "a master that accepts writes",
    STANDBY: "a running standby",
    STOPPED_STANDBY: "a standby whose server is stopped",
    STOPPED: "the data of a master whose server is stopped",
    SILENT: "a server process that gives no session",
    FROZEN: "a frozen server process",
    EMPTY: "no data directory",
    OTHER: "a directory with files that are not a server's",
    UNREACHABLE: "not reachable by SSH",
}
#: what the control file says of a server that has ended without a word
CRASHED = dict.fromkeys(("in production", "in archive recovery", "in crash recovery"), "not shut down cleanly")


def kind(seen: Observation) -> str:
    """Return what the host is, from its processes and files alone."""
    if not seen.get("reachable", True):
        return UNREACHABLE
    if seen["process"]["frozen"]:
        return FROZEN
    if seen["server"]:
        return STANDBY if seen["server"]["in_recovery"] else MASTER
    if seen["process"]["running"]:
        return SILENT
    directory = seen["data_directory"]
    if directory["state"] == "data":
        return STOPPED_STANDBY if _was_standby(seen) else STOPPED
    return OTHER if directory["state"] == "other" else EMPTY


def _was_standby(seen: Observation) -> bool:
    """Whether stopped data is a standby's: told to be one, and not left as a master leaves it.

    A copy that was never started has the master's control file, and a backup_label.
    """
    signals, control = seen["data_directory"]["signals"], seen["control"]
    left_by_master = bool(control) and control["state"] in ("shut down", "in production", "shutting down")
    return "standby.signal" in signals and ("backup_label" in signals or not left_by_master)


def describe(seen: Observation) -> str:
    """Return the kind in words, with what helps to tell why."""
    words = _DESCRIPTIONS[kind(seen)]
    if kind(seen) == UNREACHABLE:
        return f"{words} ({seen.get('error') or 'no answer'})"
    if kind(seen) == SILENT:
        return f"{words} ({seen['server_error']})"
    if seen["data_directory"]["removed"]:
        words = f"{words}, removed by remove_standby"
    elif seen["data_directory"]["fenced"]:
        words = f"{words}, fenced"
    if seen["data_directory"]["unfinished"]:
        words = f"{words}, left half-way by a resynchronisation"
    if kind(seen) in (STOPPED, STOPPED_STANDBY) and seen["control"]:
        state = CRASHED.get(seen["control"]["state"], seen["control"]["state"])
        return f"{words} ({state}, timeline {seen['control']['timeline']})"
    return words


def system_identifier(seen: Observation) -> str | None:
    """Return the identifier that all copies of one database system share."""
    source = seen.get("server") or seen.get("control") or {}
    return source.get("system_identifier")


def timeline(seen: Observation) -> int | None:
    """Return the host's timeline: a server's own, or the one of its last checkpoint or recovery point."""
    server, control = seen.get("server"), seen.get("control")
    if server:
        return server["timeline"] or server["checkpoint_timeline"]
    if control:
        return max(control["timeline"], control.get("min_recovery_timeline") or 0)
    return None


def masters(observations: dict[str, Observation]) -> list[str]:
    """Return the hosts whose servers accept writes."""
    return sorted(name for name, seen in observations.items() if kind(seen) == MASTER)


def sender_of(master: Observation, slot: str) -> dict[str, t.Any] | None:
    """Return the walsender that serves a slot, if one does."""
    server = master["server"]
    pids = {row["active_pid"] for row in server["slots"] if row["slot_name"] == slot and row["active"]}
    return next((row for row in server["senders"] if row["pid"] in pids), None)


def slot_of(master: Observation, slot: str) -> dict[str, t.Any] | None:
    """Return the slot of that name, if there is one."""
    return next((row for row in master["server"]["slots"] if row["slot_name"] == slot), None)


def streams(master: Observation, slot: str) -> bool:
    """Whether the master sends WAL through this slot."""
    sender = sender_of(master, slot)
    return sender is not None and sender["state"] == "streaming"


def registered(name: str, master: Observation) -> list[str]:
    """Return the standbys of the master of that name. One that was a standby once still has itself registered."""
    return [standby for standby in master["server"]["standbys"] if standby != name]


def mirroring(master: Observation, standby: str | None = None) -> dict[str, t.Any]:
    """Return the row of gp_master_mirroring that the master shows, the worst standby's, or that of one standby.

    Without the view, say so.
    """
    server = master["server"]
    if server["mirroring"]:
        row = next((each for each in server["mirrors"] if each["standby"] == standby), server["mirroring"])
        return {
            "summary_state": row["summary_state"],
            "detail_state": row["detail_state"],
            "since": row["since"],
            "error_message": row["error_message"],
        }
    if not server["standbys"]:
        return {"summary_state": NOT_CONFIGURED, "detail_state": None, "since": None, "error_message": None}
    return {
        "summary_state": NOT_SYNCHRONIZED,
        "detail_state": "Unexpected error",
        "since": None,
        "error_message": "the view gp_master_mirroring is missing in database postgres",
    }
