# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The cheapest safe way to make a stale, broken or former master a synchronised standby again. Pure: no I/O, no clock.

The routes, cheapest first: nothing to do, start (its WAL goes on from where it is), follow (a former master that has
nothing of its own), rewind (what has changed since the histories parted is copied), delta (all is compared, what
differs is copied), snapshot (all is copied). Source for what a rewind needs: PostgreSQL manual, "pg_rewind".
"""

from __future__ import annotations

import typing as t

from ansible_collections.hawq.mirroring.plugins.module_utils import (
    _bill,
    _conninfo,
    _finding,
    _lsn,
    _members,
    _timelines,
    _verdicts,
    _wal,
)
from ansible_collections.hawq.mirroring.plugins.module_utils import _checks as checks
from ansible_collections.hawq.mirroring.plugins.module_utils import _topology as topology
from ansible_collections.hawq.mirroring.plugins.module_utils._checks import Refusal, Verdict

NONE, START, FOLLOW, REWIND, DELTA, SNAPSHOT = "none", "start", "follow", "rewind", "delta", "snapshot"
ROUTES = (NONE, START, FOLLOW, REWIND, DELTA, SNAPSHOT)
#: ways that write into the old data
IN_PLACE = (REWIND, DELTA)
#: so many times as long as a copy
DEARER = 1.1
RUNNING = (topology.STANDBY, topology.FROZEN)


class Case(t.NamedTuple):
    """What the routes are judged by."""

    name: str
    seen: topology.Observation
    source: topology.Observation
    slot: str
    #: where the histories part, or None while they do not
    fork: _timelines.Fork | None
    #: what divergence_info found on the host, or None while it was not asked
    found: dict[str, t.Any] | None
    #: routes that have failed in this run, with the reason
    failed: dict[str, str]
    options: dict[str, t.Any]
    #: whether both histories can be read and have the same beginning, so that no fork means one history
    history_known: bool

    @property
    def standby(self) -> bool:
        """Whether it is, or was when it stopped, a standby; not a former master that has yet to follow the new one."""
        what, directory = topology.kind(self.seen), self.seen["data_directory"]
        frozen = what == topology.FROZEN and "standby.signal" in directory["signals"]
        like = what in (topology.STANDBY, topology.STOPPED_STANDBY) or frozen
        return like and not (directory["fenced"] and self.fork is not None)

    @property
    def have(self) -> str | None:
        """The LSN up to which it holds WAL, as far as is known without reading that."""
        server, control = self.seen["server"], self.seen["control"]
        known = [server["have_lsn"]] if server else []
        if control and not server:
            known = [control["min_recovery_lsn"], control["checkpoint_lsn"]]
        return max((lsn for lsn in known if lsn), key=_lsn.parse, default=None)


def judge(
    observations: dict[str, topology.Observation], hosts: dict[str, dict[str, t.Any]], options: dict[str, t.Any]
) -> Verdict:
    """Return the plan by the cheapest route that is possible, with the bill of all, or the reasons not to go on."""
    master, refusals = _finding.master_of(observations)
    if master is None:
        return Verdict({}, refusals)
    further = bool(options.get("additional_standby"))
    standby, refusals = _finding.standby_of(observations, master, options["standby_host"], further)
    if standby is None:
        return Verdict({}, refusals)
    seen, source = observations[standby], observations[master]
    refusals = _impossible(standby, seen, source, hosts)
    if refusals:
        return Verdict({}, refusals)
    mine, its = _timelines.stretches(seen), _timelines.stretches(source)
    fork = _timelines.fork(mine, its) if mine and its else None
    known = bool(mine and its and mine[0][:2] == its[0][:2])
    case = Case(
        standby,
        seen,
        source,
        _conninfo.slot_name(standby),
        fork,
        options.get("divergence"),
        options.get("failed_routes") or {},
        options,
        known,
    )
    bill = _without_dearer([_row(route, case) for route in ROUTES], case)
    chosen = next((row["route"] for row in bill if row["possible"]), None)
    snapshot = chosen == SNAPSHOT
    choice = _existing_data(case) if snapshot else "refuse"
    refusals = [] if chosen else _no_route(case, bill)
    if snapshot:
        refusals += _data_refusals(case, choice)
    plan, found = _verdicts.mirror(
        observations,
        hosts,
        {**options, "existing_data": choice},
        _members.Pair(master, standby),
        snapshot and not refusals,  # or the same would be said twice
    )
    plan.update(
        workflow="resync_standby",
        route=chosen,
        bill=bill,
        compare=case.found is None and _must_compare(case, chosen),
        stop=_must_stop(seen, chosen),
        resume=chosen == START and bool(seen["server"]) and seen["server"]["replay_paused"],
        lift=chosen in (FOLLOW, *IN_PLACE) or (not snapshot and (_leftovers(seen) or seen["data_directory"]["fenced"])),
        close=source["server"]["rewind_roles"],
        keep_lost=_has_lost(case) and (chosen in IN_PLACE or (snapshot and choice == "discard")),
        failed_routes=case.failed,
        fork=fork.lsn if fork else None,
        history=[{"timeline": each.timeline, "end": _end(each)} for each in mine or []],
        divergence=case.found,
        rewind_role=f"{options['replication_user']}_rewind",
        rewind_hba_lines=[
            line.replace("host replication ", "host postgres ").replace(
                f" {options['replication_user']} ", f" {options['replication_user']}_rewind "
            )
            for line in plan.get("hba_lines", [])
        ],
    )
    return Verdict(plan, refusals + found)


def _must_stop(seen: topology.Observation, chosen: str | None) -> bool:
    """Whether its server has to end first."""
    what = topology.kind(seen)
    return what in RUNNING and (chosen in (*IN_PLACE, SNAPSHOT) or what == topology.FROZEN)


def _end(stretch: _timelines.Stretch) -> str | None:
    return None if stretch.end is None else _lsn.render(stretch.end)


def _leftovers(seen: topology.Observation) -> bool:
    """Whether a standby still has the record of a fence or slots from its time as a master."""
    directory = seen["data_directory"]
    ours = [name for name in directory["slots"] if name.startswith("hawq_mirroring_")]
    return topology.kind(seen) == topology.STANDBY and bool(directory["fenced"] or ours)


def _impossible(
    standby: str, seen: topology.Observation, source: topology.Observation, hosts: dict[str, dict[str, t.Any]]
) -> list[Refusal]:
    """What no route can deal with."""
    what = topology.kind(seen)
    if what == topology.UNREACHABLE:
        return [_verdicts.unreachable(standby, seen, hosts)]
    if what == topology.SILENT:
        return [
            Refusal(
                f"{standby} has {topology.describe(seen)}",
                "it cannot be said what it is",
                f"Stop it there (systemctl stop {seen['service']['unit']}), then run this again",
            )
        ]
    mine, its = topology.system_identifier(seen), topology.system_identifier(source)
    if what not in (topology.EMPTY, topology.OTHER) and mine is not None and mine != its:
        return [
            Refusal(
                f"{seen['data_directory']['path']} on {standby} belongs to another system (identifier {mine}, the"
                f" master's is {its})",
                "nothing of it can be brought in line with this master",
                "To make a standby in its place: ansible-playbook hawq.mirroring.init_standby -e existing_data=keep",
            )
        ]
    return []


def _must_compare(case: Case, chosen: str | None) -> bool:
    """Whether the WAL on the host must be read to tell what it has of its own.

    Of a standby that runs the server tells; one that is stopped may hold more than its control file says.
    """
    told = chosen == NONE or (chosen == START and case.seen["server"])
    return case.fork is not None and not told and not _half_way(case)


def _has_lost(case: Case) -> bool:
    return bool(case.found and case.found["wal_bytes"])


def _row(route: str, case: Case) -> dict[str, t.Any]:
    """Return one line of the bill: possible or why not, and what it would cost."""
    why_not = case.failed.get(route) or {
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
    return {"route": route, "possible": not why_not, "reason": why_not, **_bill.cost(route, case)}


def _without_dearer(bill: list[dict[str, t.Any]], case: Case) -> list[dict[str, t.Any]]:
    """Pass over what would clearly take longer than a copy of all, where there is room for one beside the old data."""
    copy = bill[-1]
    if case.options.get("resync_route") or not copy["possible"] or _too_small(case, "keep"):
        return bill

    def judged(row: dict[str, t.Any]) -> dict[str, t.Any]:
        if row["route"] not in IN_PLACE or not row["possible"] or row["seconds"] <= DEARER * copy["seconds"]:
            return row
        reason = f"it would take longer than a copy (some {row['seconds']:.0f} s against {copy['seconds']:.0f} s)"
        return {**row, "possible": False, "reason": reason}

    return [judged(row) for row in bill]


def _why_not_none(case: Case) -> str:
    if topology.kind(case.seen) != topology.STANDBY:
        return _what_it_is(case.seen)
    if case.name not in case.source["server"]["standbys"]:
        return "it is not registered with the master"
    state = topology.mirroring(case.source, case.name)
    if state["summary_state"] != topology.SYNCHRONIZED or not topology.sender_of(case.source, case.slot):
        return f"mirroring is {state['summary_state']}" + (
            f" ({state['detail_state']})" if state["detail_state"] else ""
        )
    if case.seen["server"]["replay_paused"]:
        return "its replay is paused"
    return ""


def _half_way(case: Case) -> str:
    if case.seen["data_directory"]["unfinished"]:
        return "an earlier run has left it half-way"
    if topology.kind(case.seen) in (topology.EMPTY, topology.OTHER):
        return _what_it_is(case.seen)
    return ""


def _what_it_is(seen: topology.Observation) -> str:
    return f"{'there' if topology.kind(seen) == topology.EMPTY else 'it'} is {topology.describe(seen)}"


def _wal_gone(case: Case, lsn: str | None) -> str:
    """Why the master cannot send the WAL from an LSN on; empty when it can."""
    row = topology.slot_of(case.source, case.slot)
    if row is not None and row["wal_status"] == "lost":
        return f"the WAL that it needs is gone from the master (slot {case.slot} is lost)"
    oldest = case.source["server"]["oldest_wal"]
    if lsn is None:
        return "it cannot be said what WAL it needs"
    if _lsn.parse(lsn) < _lsn.parse(oldest):
        return f"it needs WAL from {lsn} on, and the master has it from {oldest} on"
    return ""


def _why_not_start(case: Case) -> str:
    if not case.standby:
        return _half_way(case) or "it was a master"
    if case.fork and (case.have is None or _lsn.parse(case.have) > _lsn.parse(case.fork.lsn)):
        return f"it has WAL up to {case.have}, and the master's history leaves its own at {case.fork.lsn}"
    if case.fork and case.found and case.found["wal_bytes"]:
        return _beyond(case.found, case.fork)
    return _half_way(case) or _wal_gone(case, case.have)


def _beyond(found: dict[str, t.Any], fork: _timelines.Fork) -> str:
    return f"it has {checks.size(found['wal_bytes'])} of WAL beyond {fork.lsn}, where the master's begins"


def _why_not_follow(case: Case) -> str:
    if case.standby or _half_way(case):
        return _half_way(case) or "it was no master"
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
    if _half_way(case):
        return _half_way(case)
    if case.fork is None:
        return "its history does not part from the master's, or cannot be read"
    control = case.seen["control"] or {}
    if not control.get("checksum_version") and control.get("wal_log_hints") != "on":
        return "neither data checksums nor wal_log_hints are on"
    absent = [entry["path"] for entry in case.seen["directories"] if not entry["entries"]]
    if absent:
        return f"{absent[0]}, where a tablespace of the master is, has none there"
    if case.found is None:
        return ""
    if case.found["damage"]:
        return f"its WAL can be read up to {case.found['end_lsn']} only ({case.found['damage']})"
    if case.found["redo_lsn"] is not None and _wal_gone(case, case.found["redo_lsn"]):
        return _wal_gone(case, case.found["redo_lsn"])
    beyond = [name for name in case.found["missing"] if _begins_beyond(name, case)]
    if beyond:
        return f"{beyond[0]} is missing there, which only it had"
    return ""


def _begins_beyond(name: str, case: Case) -> bool:
    """Whether a segment lies wholly beyond the fork, so that the master cannot have it."""
    size = int(case.source["server"]["settings"]["wal_segment_size"])
    begin = _wal.begin_of(name[8:], size)
    return case.fork is not None and _lsn.parse(begin) >= _lsn.parse(case.fork.lsn)


def _why_not_delta(case: Case) -> str:
    if topology.kind(case.seen) in (topology.EMPTY, topology.OTHER):
        return _half_way(case)
    if case.seen["control"] is None:
        return "its control file cannot be read"
    choice = case.options["existing_data"]
    if choice == "keep":
        return "the old data would not be kept (existing_data=keep)"
    if _verdicts.resumes(case.seen, case.source):
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


def _why_not_snapshot(_case: Case) -> str:
    return ""


def _existing_data(case: Case) -> str:
    """What to do with the old data: moved aside where there is room for both, unless the operator says otherwise."""
    choice = str(case.options["existing_data"])
    if choice != "refuse" or topology.kind(case.seen) in (topology.EMPTY, topology.OTHER):
        return choice
    return "keep" if _verdicts.resumes(case.seen, case.source) or not _too_small(case, "keep") else "refuse"


def _too_small(case: Case, choice: str) -> list[Refusal]:
    return checks.disk(case.name, case.seen, case.source, case.options["tablespace_mapping"], choice)


def _data_refusals(case: Case, choice: str) -> list[Refusal]:
    """Data is deleted only when told; what is not a server's is not even moved without being told."""
    if choice != "refuse" or topology.kind(case.seen) == topology.EMPTY:
        return []
    if topology.kind(case.seen) == topology.OTHER:
        return checks.existing_data(case.name, case.seen, case.source, choice)
    needed = checks.size(sum(int(row["bytes"]) for row in checks.sizes(case.source)))
    return [
        Refusal(
            f"{case.name} has {checks.size(case.seen['data_directory']['free_bytes'])} free for a copy of {needed}"
            " beside the old data",
            "a full copy is the only way left, and the old data may be the last copy of something",
            "Run again with -e existing_data=discard to delete it, or make room there",
        )
    ]


def _no_route(case: Case, bill: list[dict[str, t.Any]]) -> list[Refusal]:
    reasons = "; ".join(f"{row['route']}: {row['reason']}" for row in bill)
    return [
        Refusal(
            f"no way is left to make {case.name} a standby ({reasons})",
            "each was tried or is impossible",
            "Mend what they say, then run this again",
        )
    ]
