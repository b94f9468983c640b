# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The routes of a resynchronisation, each possible or why not. Pure: no I/O, no clock.

Cheapest first: nothing to do, start (its WAL goes on from where it is), follow (a former master that has nothing of its
own), rewind (what has changed since the histories parted is copied), delta (all is compared, what differs is copied),
snapshot (all is copied).
"""

from __future__ import annotations

import typing as t

from ...engines import table
from ...values import history, lsn, wal
from ...values.text import size
from .. import mirror, rewinding, settings, tablespaces, topology
from . import bill
from .case import DELTA, FOLLOW, NONE, REWIND, ROUTES, SNAPSHOT, START, STARTED, Case


def row(route: str, case: Case) -> dict[str, t.Any]:
    """Return one line of the bill: possible or why not, and what it would cost."""
    why_not = case.failed.get(route) or _why_not_as_it_is(route, case)
    why_not = why_not or {
        NONE: _why_not_none,
        START: _why_not_start,
        FOLLOW: _why_not_follow,
        REWIND: _why_not_rewind,
        DELTA: _why_not_delta,
        SNAPSHOT: _why_not_snapshot,
    }[route](case)
    wanted = case.options.get("resync_route")
    if not why_not and wanted and ROUTES.index(route) < ROUTES.index(wanted) and route != NONE:
        why_not = f"passed over (resync_route={wanted})"
    return {"route": route, "possible": not why_not, "reason": why_not, **bill.cost(route, case)}


def _why_not_as_it_is(route: str, case: Case) -> str:
    """Return why its data cannot be used as it is: newer than the master's, or damaged. A rewind mends no damage."""
    if half_way(case):
        return ""  # that is told of each way
    if route in STARTED:
        return case.newer.reason if case.newer else case.damage
    return case.damage if route == REWIND else ""


def _why_not_none(case: Case) -> str:
    if topology.kind(case.seen) != topology.STANDBY:
        return _what_it_is(case.seen)
    if case.name not in case.source["server"]["standbys"]:
        return "it is not registered with the master"
    state = topology.mirroring(case.source, case.name)
    if state["summary_state"] == topology.SYNCHRONIZED and not topology.sender_of(case.source, case.slot):
        return "the master sends it no WAL"
    if state["summary_state"] != topology.SYNCHRONIZED:
        return f"mirroring is {state['summary_state']}" + (
            f" ({state['detail_state']})" if state["detail_state"] else ""
        )
    wanted = settings.recovery_wanted(case.seen, case.source)
    if wanted:
        return "it has less than its master of " + ", ".join(wanted)
    harmful = settings.harmful(case.seen, settings.archive_of(case.options))
    if harmful:
        return "its recovery is delayed, or would be ended or misled, by " + ", ".join(harmful)
    if case.seen["server"] and case.seen["server"]["replay_paused"]:
        return "its replay is paused"
    if topology.lacks_mark(case.seen):
        return f"its mark of a standby ({table.of(case.seen).words.standby_marker}) is gone"
    return ""


def half_way(case: Case) -> str:
    """Return why the directory is none that could be started or rewound; empty when it could be."""
    if case.seen["data_directory"]["unfinished"]:
        return "an earlier run has left it half-way"
    if topology.kind(case.seen) in (topology.EMPTY, topology.OTHER):
        return _what_it_is(case.seen)
    lost = tablespaces.lost(case.seen)
    return f"the files of its tablespace in {lost} are gone" if lost else ""


def _what_it_is(seen: topology.Observation) -> str:
    return "there is no data directory" if topology.kind(seen) == topology.EMPTY else f"it is {topology.describe(seen)}"


def _wal_gone(case: Case, begin: str | None) -> str:
    """Why the master cannot send the WAL from an LSN on; empty when it can."""
    if topology.is_lost(case.source, case.slot):
        return f"the WAL that it needs is gone from the master (slot {case.slot} is lost)"
    oldest = case.source["server"]["oldest_wal"]
    if begin is None:
        return "it cannot be said what WAL it needs"
    if lsn.parse(begin) < lsn.parse(oldest):
        return f"it needs WAL from {begin} on, and the master has it from {oldest} on"
    return ""


def _why_not_start(case: Case) -> str:
    if not case.standby:
        return half_way(case) or "it was a master"
    if case.fork and (case.have is None or lsn.parse(case.have) > lsn.parse(case.fork.lsn)):
        return f"it has WAL up to {case.have}, and the master's history leaves its own at {case.fork.lsn}"
    if case.fork and case.found and case.found["wal_bytes"]:
        return _beyond(case.found, case.fork)
    return half_way(case) or _wal_gone(case, case.have)


def _beyond(found: dict[str, t.Any], fork: history.Fork) -> str:
    return f"it has {size(found['wal_bytes'])} of WAL beyond {fork.lsn}, where the master's begins"


def _why_not_follow(case: Case) -> str:
    if case.standby or half_way(case):
        return half_way(case) or "it was no master"
    if case.fork is None:
        return "it was a master on the timeline that the master is on, or its history cannot be read"
    if case.found is None:
        return ""  # to be seen
    if case.found["damage"]:
        return f"its WAL can be read up to {case.found['end_lsn']} only ({case.found['damage']})"
    if case.found["wal_bytes"]:
        return _beyond(case.found, case.fork)
    return _wal_gone(case, case.found["end_lsn"])


def _why_not_rewind(case: Case) -> str:
    if half_way(case):
        return half_way(case)
    if case.newer and case.newer.reached:
        further = ", and beyond it" if case.newer.kind == "ahead-of-master" else ""
        return f"it is on the master's own timeline{further}"
    if case.newer and case.options["existing_data"] == "keep":
        return "the old data would not be kept (existing_data=keep)"
    if case.fork is None and table.of(case.source).timelines:
        return "its history does not part from the master's, or cannot be read"
    if rewinding.why_not(case.seen, case.source):
        return rewinding.why_not(case.seen, case.source)
    if _places_of_a_rewind(case):
        return _places_of_a_rewind(case)
    if case.found is None:
        return ""
    if case.found["damage"]:
        return f"its WAL can be read up to {case.found['end_lsn']} only ({case.found['damage']})"
    if not case.found["wal_bytes"]:
        return "it has nothing of its own that would have to be taken back"
    if case.found["redo_lsn"] is not None and _wal_gone(case, case.found["redo_lsn"]):
        return _wal_gone(case, case.found["redo_lsn"])
    beyond = [name for name in case.found["missing"] if _begins_beyond(name, case)]
    if beyond:
        return f"{beyond[0]} is missing there, which only it had"
    return ""


def _places_of_a_rewind(case: Case) -> str:
    """Return which place of a tablespace a rewind cannot deal with: it makes none, and takes all in one for its own."""
    places = tablespaces.targets(case.seen, case.options["tablespace_mapping"], case.source)
    absent = [entry["path"] for entry in places if not entry["entries"]]
    if absent:
        return f"{absent[0]}, where a tablespace of the master is, has none there"
    shared = tablespaces.shared(case.seen, case.source)
    return f"it would delete what others have in {shared}, a tablespace's place" if shared else ""


def _begins_beyond(name: str, case: Case) -> bool:
    """Whether a segment lies wholly beyond the fork, so that the master cannot have it."""
    begin = wal.begin_of(name[8:], case.source["server"]["settings"]["wal_segment_bytes"])
    return case.fork is not None and lsn.parse(begin) >= lsn.parse(case.fork.lsn)


def _why_not_delta(case: Case) -> str:
    if not table.of(case.source).compares:
        return f"{table.of(case.source).name} has no means of comparing a directory with its master"
    if topology.kind(case.seen) in (topology.EMPTY, topology.OTHER):
        return half_way(case)
    if case.seen["control"] is None:
        return "its control file cannot be read"
    if tablespaces.lost(case.seen):
        return half_way(case)
    choice = case.options["existing_data"]
    if choice == "keep":
        return "the old data would not be kept (existing_data=keep)"
    if mirror.resumes(case.seen, case.source):
        return "a snapshot is under way"
    if case.seen["data_directory"]["unfinished"] or choice == "discard":
        return ""
    if case.fork is None and not case.history_known:
        return "its history cannot be read, and so what only it has cannot be told"
    if case.fork is None and not case.standby:
        return "it was a master on the timeline that the master is on, and what only it has cannot be told"
    if case.found and case.found["damage"]:
        return f"what only it has cannot be read beyond {case.found['end_lsn']} ({case.found['damage']})"
    return ""


def _why_not_snapshot(case: Case) -> str:
    refusals = mirror.not_online("", case.source)
    return "".join(refusal.why for refusal in refusals)
