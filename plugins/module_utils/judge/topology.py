# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who is what: from observations to master, standby and the state of mirroring. Pure: no I/O, no clock.

An observation is what the module instance_info returns, or ``{"reachable": False, "error": text}``: of a host that may
be such a one ``kind`` is asked before anything else.
"""

from __future__ import annotations

import typing as t

from ..engines import table
from ..values import conninfo, lsn
from ..values.clusters import MASTERS
from ..values.command import group
from ..values.observation import Control, Hosts, Observation, Observations, Sender, Slot, Unreachable

__all__ = ["Hosts", "Observation", "Observations"]

MASTER = "master"
STANDBY = "standby"
STOPPED_STANDBY = "stopped standby"
STOPPED = "stopped"
SILENT = "silent"
FROZEN = "frozen"
EMPTY = "empty"
OTHER = "other"
UNREACHABLE = "unreachable"

#: servers that replay a master's WAL, or would
STANDBYS = (STANDBY, STOPPED_STANDBY)
#: servers that run and give no session
BUSY = (SILENT, FROZEN)

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
    EMPTY: "without a data directory",
    OTHER: "a directory with files that are not a server's",
    UNREACHABLE: "not reachable by SSH",
}


def kind(seen: Observation) -> str:
    """Return what the host is, from its processes and files alone."""
    if not seen.get("reachable", True):
        return UNREACHABLE
    if seen["process"]["frozen"]:
        return FROZEN
    if seen["server"]:
        return STANDBY if seen["server"]["standby"] else MASTER
    if seen["process"]["running"]:
        return STANDBY if _is_mute_standby(seen) else SILENT
    directory = seen["data_directory"]
    if directory["state"] == "data":
        return STOPPED_STANDBY if _was_standby(seen) else STOPPED
    return OTHER if directory["state"] == "other" else EMPTY


def _is_mute_standby(seen: Observation) -> bool:
    """Whether a server that gives no session is a standby all the same: by its mark, and by what its data says.

    A server that a removed mark has let become a master has written that into its data.
    """
    if not seen["data_directory"]["marked_standby"]:
        return False
    control = seen["control"]
    return not table.of(seen).queries_on_standby or bool(control and control["as_master"] is False)


def _was_standby(seen: Observation) -> bool:
    """Whether stopped data is a standby's: told to be one, and not left as a master leaves it.

    A copy that was never started has the master's control file.
    """
    directory, control = seen["data_directory"], seen["control"]
    left_by_master = bool(control) and control["as_master"] is True
    return directory["marked_standby"] and (directory["unstarted_copy"] or not left_by_master)


def lacks_mark(seen: Observation) -> bool:
    """Whether a running standby has lost what tells it, at its next start, that it is one."""
    directory = seen["data_directory"]
    return kind(seen) == STANDBY and not (directory["marked_standby"] or directory["marked_recovery"])


def is_standby(seen: Observation) -> bool:
    """Whether a host holds a standby: running or stopped, or, where no session tells, by its mark."""
    what = kind(seen)
    return what in STANDBYS or (what in BUSY and seen["data_directory"]["marked_standby"])


def may_take_over(seen: Observation) -> bool:
    """Whether a host holds a standby, running or stopped, that is whole and not fenced: it may become the master."""
    return kind(seen) in STANDBYS and not is_fenced(seen) and not seen["data_directory"]["unfinished"]


def is_fenced(seen: Observation) -> bool:
    """Whether a host's data must not become a master's again: a record says so, and it is not obsolete.

    The record of a former master is obsolete as soon as its data has followed a newer timeline than the one that it was
    fenced on: then it is a standby like any other. A run that is killed leaves such a record behind, and it must not
    stand in the way of a failover.
    """
    return seen["data_directory"]["fenced"] and not _has_followed(seen)


def _has_followed(seen: Observation) -> bool:
    """Whether fenced data has followed another master since.

    A record that does not say on which timeline that was proves nothing later: only WAL that a master sends it now
    shows that its data is a part of that master's history.
    """
    directory, server = seen["data_directory"], seen["server"]
    if directory["removed"] or directory["unfinished"] or directory["unstarted_copy"] or kind(seen) not in STANDBYS:
        return False
    if directory["fence_timeline"] is None:
        return bool(server and server["receiver"] and server["receiver"]["status"] == "streaming")
    return (timeline(seen) or 0) > directory["fence_timeline"]


def describe(seen: Observation) -> str:
    """Return the kind in words, with what helps to tell why."""
    words = _DESCRIPTIONS[kind(seen)]
    if kind(seen) == UNREACHABLE:
        words = "closed to the controller" if mend(seen) else words
        return f"{words} ({seen.get('error') or 'no answer'})"
    if kind(seen) == SILENT:
        return f"{words} ({seen['server_error']})"
    if seen.get("elsewhere") and not seen["process"]["running"]:
        words = f"{words}, beside a server that runs from {seen['elsewhere']['path']}"
    if seen["data_directory"]["removed"]:
        words = f"{words}, removed by remove_standby"
    elif is_fenced(seen):
        words = f"{words}, fenced"
    if seen["data_directory"]["unfinished"]:
        words = f"{words}, left half-way by a resynchronisation"
    if kind(seen) in (STOPPED, STOPPED_STANDBY) and seen["control"]:
        return f"{words} ({_ending(seen['control'])}, timeline {seen['control']['timeline']})"
    return words


def being(name: str, seen: Observation) -> str:
    """Return a sentence of what a host is, or of what it has instead of a server's data."""
    verb = {OTHER: "holds", STOPPED: "has"}.get(kind(seen), "is")
    return f"{name} {verb} {describe(seen)}"


def mend(seen: Observation) -> str:
    """Return what lets the controller look at a host that it could not look at, where that is known."""
    return str(seen.get("mend") or "")


def bring_up(name: str, seen: Observation, otherwise: str) -> str:
    """Return what is to be done first about a host that could not be looked at."""
    return f"for {name}: {mend(seen)}" if mend(seen) else otherwise


def is_mute(seen: Observation) -> bool:
    """Whether a server runs that nobody can ask, because its host lacks the library that asks."""
    return kind(seen) in (SILENT, STANDBY) and not seen["server"] and not seen["binaries"]["client_library"]


def lets_in(seen: Observation) -> bool:
    """Whether a server that gives no session here says in its own file that it does: clients may have some."""
    return kind(seen) == SILENT and seen["process"]["pidfile"].get("status") == "ready"


def _ending(control: Control) -> str:
    if control["ended"] == "clean":
        return "shut down" if control["as_master"] else "shut down in recovery"
    return "how it ended is not known" if control["ended"] == "unknown" else "not shut down cleanly"


def system_identifier(seen: Observation) -> str | None:
    """Return the identifier that all copies of one database system share."""
    source = seen.get("server") or seen.get("control")
    return source["system_identifier"] if source else None


def timeline(seen: Observation) -> int | None:
    """Return the host's timeline: a server's own, or the one of its last checkpoint or recovery point."""
    server, control = seen.get("server"), seen.get("control")
    if server:
        return server["timeline"] or server["checkpoint_timeline"]
    if control:
        return max(control["timeline"], control["min_recovery_timeline"] or 0)
    return None


def last_timeline(seen: Observation) -> int | None:
    """Return the timeline that a host's WAL ends on.

    Just after a promotion only the history file tells of the new one. A standby gets that file before it gets there, so
    of a standby the server or the control file is asked alone.
    """
    known = timeline(seen)
    if known is None or kind(seen) in (MASTER, STANDBY, STOPPED_STANDBY):
        return known
    newer = [int(name) for name, lines in seen["histories"].items() if known in [line[0] for line in lines]]
    return max([known, *newer])


def end(seen: Observation) -> str | None:
    """Return the LSN up to which a host holds WAL, as far as can be told without starting its server."""
    server, control = seen["server"], seen["control"]
    if server:
        return server["have_lsn"] if server["standby"] else server["current_lsn"]
    known = [seen["wal_end"], *((control["min_recovery_lsn"], control["checkpoint_lsn"]) if control else ())]
    return max((each for each in known if each), key=lsn.parse, default=None)


def newest(observations: Observations) -> list[str]:
    """Return the hosts that hold a server's data: who is the furthest first, by timeline and then by LSN."""
    there = {name: seen for name, seen in observations.items() if kind(seen) not in (UNREACHABLE, EMPTY, OTHER)}
    place = {name: (last_timeline(seen) or 0, lsn.parse(end(seen) or "0/0")) for name, seen in there.items()}
    return sorted(there, key=lambda name: place[name], reverse=True)


def access_file(seen: Observation) -> str:
    """Return the file that says who may connect to a host's server."""
    if seen["server"]:
        return seen["server"]["settings"]["access_file"]
    return f"{seen['configuration']['path']}/{table.of(seen).words.access_file}"


def seen_at(observations: Observations, name: str | None) -> Observation:
    """Return what was seen of a host; of one that is none of the group, that it could not be looked at."""
    absent: Unreachable = {"reachable": False, "error": f"not in the group {group(MASTERS)}"}
    return observations.get(name or "") or t.cast(Observation, absent)


def engine(observations: Observations) -> str:
    """Return the engine of a group, of which at least one host could be looked at."""
    return next(seen["engine"] for seen in observations.values() if kind(seen) != UNREACHABLE)


def masters(observations: Observations) -> list[str]:
    """Return the hosts whose servers accept writes."""
    return sorted(name for name, seen in observations.items() if kind(seen) == MASTER)


def sender_of(master: Observation, slot: str) -> Sender | None:
    """Return the connection that serves a slot, if one does; without slots, that of the standby it would be for."""
    server = master["server"]
    if not table.of(master).keeps_wal_for_standby:
        return next((row for row in server["senders"] if conninfo.slot_name(row["name"]) == slot), None)
    pids = {row["active_pid"] for row in server["slots"] if row["name"] == slot and row["active"]}
    return next((row for row in server["senders"] if row["pid"] in pids), None)


def slot_of(master: Observation, slot: str) -> Slot | None:
    """Return the slot of that name, if there is one."""
    return next((row for row in master["server"]["slots"] if row["name"] == slot), None)


def slots(master: Observation, names: t.Iterable[str]) -> list[str]:
    """Return the slots of these standbys, of an engine that has slots."""
    return [conninfo.slot_name(name) for name in names] if table.of(master).keeps_wal_for_standby else []


def is_lost(master: Observation, slot: str) -> bool:
    """Whether the master has already removed WAL that this slot's standby needs."""
    row = slot_of(master, slot)
    return row is not None and row["lost"]


def streams(master: Observation, slot: str) -> bool:
    """Whether the master sends WAL through this slot."""
    sender = sender_of(master, slot)
    return sender is not None and sender["streaming"]


def registered(name: str, master: Observation) -> list[str]:
    """Return the standbys of the master of that name. One that was a standby once still has itself registered."""
    return [standby for standby in master["server"]["standbys"] if standby != name]


def mirroring(master: Observation, standby: str | None = None) -> dict[str, t.Any]:
    """Return the row of gp_master_mirroring that the master shows, the worst standby's, or that of one standby.

    Without the view, say so.
    """
    server = master["server"]
    if server["mirroring"]:
        mirrors = [each for each in server["mirrors"] if each["standby"] == standby]
        row = mirrors[0] if mirrors else server["mirroring"]
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
        "error_message": f"the view gp_master_mirroring is missing in database {table.of(master).words.databases[0]}",
    }
