# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The cheapest safe way to make a stale, broken or former master a synchronised standby again. Pure: no I/O."""

from __future__ import annotations

import typing as t

from ...engines import table
from ...values import conninfo, history, lsn
from ...values.command import again, playbook
from ...values.observation import Hosts
from ...values.text import size
from .. import checks, disk, guarded, identify, members, mirror, newer, settings, slots, timelines, topology
from ..options import Options
from ..plan import ResyncPlan, only
from ..refusal import AGAIN, Refusal, Verdict, decide, refused
from . import bill as bills
from . import routes
from .case import DELTA, FOLLOW, IN_PLACE, NONE, REWIND, ROUTES, SNAPSHOT, START, Case

#: so many times as long as a copy
DEARER = 1.1
RUNNING = (topology.STANDBY, topology.FROZEN)
#: ways after which the server replays on from where its data is
REPLAYING = (NONE, START, FOLLOW, REWIND)


def judge(observations: topology.Observations, hosts: Hosts, options: Options) -> Verdict:
    """Return the plan by the cheapest route that is possible, with the bill of all, or the reasons not to go on."""
    master, refusals = identify.master_of(observations)
    if master is None:
        return refused(refusals)
    further = bool(options.get("additional_standby"))
    standby, refusals = identify.standby_of(observations, master, options["standby_host"], further)
    if standby is None:
        return refused(refusals)
    seen, source = observations[standby], observations[master]
    refusals = _impossible(standby, seen, source, hosts)
    if refusals:
        return refused(refusals)
    case = _case(standby, seen, master, source, options)
    refusals = _newer(case, master, observations)
    if refusals:
        return refused(refusals)
    fork, mine = case.fork, timelines.stretches(seen)
    bill = _without_dearer([routes.row(route, case) for route in ROUTES], case)
    chosen = next((row["route"] for row in bill if row["possible"]), None)
    snapshot, compares = chosen == SNAPSHOT, case.found is None and _must_compare(case, chosen)
    choice = _existing_data(case) if snapshot else "refuse"
    refusals = [] if chosen else _no_route(case, bill, master, mirror.not_online(master, source))
    if snapshot:
        refusals += _data_refusals(case, choice)
    base, steps, found = mirror.plan(
        observations,
        hosts,
        {**options, "existing_data": choice},
        members.Pair(master, standby),
        snapshot and not refusals,  # or the same would be said twice
        chosen in REPLAYING,
        "unknown" if compares else "master" if chosen in IN_PLACE else "own",
    )
    fence = seen["data_directory"]["fenced"]
    lift = chosen in (FOLLOW, *IN_PLACE) or (not snapshot and (_leftovers(seen) or bool(fence)))
    role = f"{options['replication_user']}_rewind"
    plan: ResyncPlan = {
        **base,
        "workflow": "resync_standby",
        "route": chosen,
        "bill": bill,
        "resume": chosen == START and _resumes(seen, source),
        "notes": _blocked(standby, seen),
        "advice": _advice(chosen, bill, standby if len(observations) > 2 else ""),
        "stale_slots": slots.left(seen),
        "failed_routes": case.failed,
        "fork": fork.lsn if fork else None,
        "reached": case.newer.reached if case.newer else None,
        "history": [{"timeline": each.timeline, "end": _end(each)} for each in mine or []],
        "divergence": case.found,
        "rewind_role": role,
        "rewind_database": table.asked_in(source),
        "rewind_hba_lines": conninfo.hba_lines(
            role, members.addresses(observations, hosts, [master, standby]), table.asked_in(source)
        ),
        "steps": {
            **steps,
            "start": steps["start"] or only(standby, chosen in IN_PLACE or _must_stop(seen, chosen)),
            "compare": only(standby, compares),
            "name_tables": only(master, bool((case.found or {}).get("relations"))),
            "close": only(master, bool(source["server"]["rewind_roles"])),
            "stop": only(standby, _must_stop(seen, chosen)),
            "let_go": steps["let_go"] or only(master, _must_stop(seen, chosen) and guarded.waits(source, case.slot)),
            "keep_lost": only(standby, _has_lost(case) and (chosen in IN_PLACE or (snapshot and choice == "discard"))),
            "open": only(master, chosen in IN_PLACE),
            "rewind": only(standby, chosen == REWIND),
            "delta": [master, standby] if chosen == DELTA else [],
            "lift": only(standby, lift),
        },
    }
    marked = disk.access(observations, plan["steps"]["open"])
    return decide(plan, refusals + found + disk.not_said(marked, refusals + found))


def _case(
    standby: str, seen: topology.Observation, master: str, source: topology.Observation, options: Options
) -> Case:
    """Return what the routes are judged by."""
    mine, its = timelines.stretches(seen), timelines.stretches(source)
    more = newer.of(standby, seen, master, source)
    fork = history.fork(mine, its) if mine and its else None
    case = Case(
        standby,
        seen,
        source,
        conninfo.slot_name(standby),
        more.fork if more else fork,
        options.get("divergence"),
        options.get("failed_routes") or {},
        options,
        bool(mine and its and mine[0][:2] == its[0][:2]),
        more,
    )
    if _passes_over_a_start(case):
        more = newer.unheard(standby, seen, master, source)
    elif fork is None and more is None and options["existing_data"] == "refuse":
        more = newer.of_the_same_right(standby, seen, master, source)
    return case._replace(newer=more, fork=more.fork if more else fork)


def _passes_over_a_start(case: Case) -> bool:
    """Whether the operator wants data to be given up that a start would show to be a part of the master's history."""
    wanted = case.options.get("resync_route")
    gives_up = wanted == DELTA or (wanted == SNAPSHOT and case.options["existing_data"] == "discard")
    if not gives_up or case.newer or not table.of(case.source).keeps_wal_for_standby:
        return False
    return routes.row(START, case._replace(options={**case.options, "resync_route": None}))["possible"]


def _newer(case: Case, master: str, observations: topology.Observations) -> list[Refusal]:
    """What is newer than what the master has is not given up without being told, unless it is known to be no commit.

    It is looked at first, where it can be: the refusal says what it is. What is moved aside as a whole is not given up.
    """
    more, found = case.newer, case.found
    if more is None or case.options.get(newer.OPTION) or case.options["existing_data"] == "keep":
        return []
    if more.fork and found is None:
        return []
    if more.kind == "newer-timeline" and found and found["whole"] and not (found["transactions"] or found["damage"]):
        return []
    further: dict[str, t.Any] = {"additional_standby": case.options.get("additional_standby") or None}
    if more.reached and more.kind == "not-compared":
        discard = case.options["existing_data"] == "discard"
        further.update(resync_route=case.options["resync_route"], existing_data="discard" if discard else None)
    return [newer.refusal(more, (case.name, master), observations, bills.lost(case) if case.found else "", **further)]


def _resumes(seen: topology.Observation, source: topology.Observation) -> bool:
    """Whether a paused replay goes on when told: one that is paused for a setting would end the server."""
    server = seen["server"]
    return bool(server and server["replay_paused"]) and not settings.recovery_wanted(seen, source)


def _blocked(name: str, seen: topology.Observation) -> list[str]:
    """Return which sessions hold the replay up, and how they are ended. They are the users', and are left alone."""
    server = seen["server"]
    if not server or not server["replay_blocked"]:
        return []
    words, rows = table.of(seen).words, server["blockers"]
    who = ", ".join(f"{row['pid']} ({row['user'] or 'no role'}, open {row['open_seconds'] or 0:.0f} s)" for row in rows)
    typed = table.typed(seen, (words.end_session.format(pid=row["pid"]) for row in rows))
    end = f" ({who}), and a failover would end them. To end them now, there: {typed}" if rows else ""
    return [f"replay on {name} waits for sessions there{end}"]


def _must_stop(seen: topology.Observation, chosen: str | None) -> bool:
    """Whether its server has to end first."""
    what = topology.kind(seen)
    return what in RUNNING and (chosen in (*IN_PLACE, SNAPSHOT) or what == topology.FROZEN)


def _advice(chosen: str | None, bill: list[dict[str, t.Any]], which: str) -> str:
    """What to do when a server that had only to start does not become a standby; nothing has been changed then."""
    possible = [row["route"] for row in bill if row["possible"]]
    if chosen not in (START, FOLLOW) or possible[-1] == chosen:
        return ""
    following = possible[possible.index(chosen) + 1]
    command = playbook("resync_standby", resync_route=following, standby_host=which or None)
    return f"If its data is to blame, take the next way: {command}"


def _end(stretch: history.Stretch) -> str | None:
    return None if stretch.end is None else lsn.render(stretch.end)


def _leftovers(seen: topology.Observation) -> bool:
    """Whether a standby still has the record of a fence or slots from its time as a master."""
    directory = seen["data_directory"]
    ours = [name for name in directory["slots"] if name.startswith("hawq_mirroring_")]
    return topology.kind(seen) == topology.STANDBY and bool(directory["fenced"] or ours)


def _impossible(standby: str, seen: topology.Observation, source: topology.Observation, hosts: Hosts) -> list[Refusal]:
    """What no route can deal with."""
    what = topology.kind(seen)
    if what == topology.UNREACHABLE:
        return [mirror.unreachable(standby, seen, hosts)]
    if what == topology.SILENT:
        return [
            Refusal(
                "no-session",
                f"{standby} has {topology.describe(seen)}",
                "it cannot be said what it is",
                f"Stop it there (systemctl stop {seen['service']['unit']}), {AGAIN}",
            )
        ]
    mine, its = topology.system_identifier(seen), topology.system_identifier(source)
    if what not in (topology.EMPTY, topology.OTHER) and mine is not None and mine != its:
        return [
            Refusal(
                "other-system",
                f"{seen['data_directory']['path']} on {standby} belongs to another system (identifier {mine}, the"
                f" master's is {its})",
                "nothing of it can be brought in line with this master",
                f"To make a standby in its place: {playbook('init_standby', existing_data='keep')}",
            )
        ]
    return []


def _must_compare(case: Case, chosen: str | None) -> bool:
    """Whether the WAL on the host must be read to tell what it has of its own.

    Of a standby that runs the server tells; one that is stopped may hold more than its control file says.
    """
    told = chosen == NONE or (chosen == START and case.seen["server"])
    if case.newer:
        return case.newer.fork is not None
    return case.fork is not None and not told and not routes.half_way(case)


def _has_lost(case: Case) -> bool:
    return bool(case.found and case.found["wal_bytes"])


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


def _existing_data(case: Case) -> str:
    """What to do with the old data: moved aside where there is room for both, unless the operator says otherwise."""
    choice = str(case.options["existing_data"])
    if choice != "refuse" or topology.kind(case.seen) in (topology.EMPTY, topology.OTHER):
        return choice
    return "keep" if mirror.resumes(case.seen, case.source) or not _too_small(case, "keep") else "refuse"


def _too_small(case: Case, choice: str) -> list[Refusal]:
    return disk.disk(case.name, case.seen, case.source, case.options["tablespace_mapping"], choice)


def _data_refusals(case: Case, choice: str) -> list[Refusal]:
    """Data is deleted only when told; what is not a server's is not even moved without being told."""
    if choice != "refuse" or topology.kind(case.seen) == topology.EMPTY:
        return []
    if topology.kind(case.seen) == topology.OTHER:
        return checks.existing_data(case.name, case.seen, case.source, choice)
    needed = size(sum(int(row["bytes"]) for row in disk.sizes(case.source)))
    return [
        Refusal(
            "disk-too-small",
            f"{case.name} has {size(case.seen['data_directory']['free_bytes'])} free for a copy of {needed}"
            " beside the old data",
            "a full copy is the only way left, and the old data may be the last copy of something",
            f"Make room there, {AGAIN}. Or let it be deleted: {again(existing_data='discard')}",
        )
    ]


def _after_a_copy(case: Case, master: str) -> str:
    """Return what to do when even a copy did not help: then it is the disk, or the master's own data."""
    unit = case.source["service"]["unit"]
    return (
        f"Look at the disk of {case.name} (dmesg there), and at what the master says of its own data (journalctl -u"
        f" {unit} on {master}), {AGAIN}"
    )


def _no_route(case: Case, bill: list[dict[str, t.Any]], master: str, not_online: list[Refusal]) -> list[Refusal]:
    reasons = "; ".join(f"{row['route']}: {row['reason']}" for row in bill)
    return [
        Refusal(
            not_online[0].kind if not_online else "no-route",
            f"no way is left to make {case.name} a standby ({reasons})",
            "each was tried or is impossible",
            not_online[0].command if not_online else _after_a_copy(case, master),
        )
    ]
