# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Taking a standby away: which one, what its master keeps for it, and what may be done on its host. Pure."""

from __future__ import annotations

from ..engines import table
from ..values import conninfo
from ..values.clusters import MASTERS
from ..values.command import again, group, playbook
from ..values.observation import Hosts
from . import checks, disk, guarded, identify, members, newer, renamed, synchronous, topology
from . import slots as slots_
from .options import Options
from .plan import RemovalPlan, only
from .refusal import AGAIN, Refusal, Verdict, correct, decide, one_of, refused


def judge(observations: topology.Observations, hosts: Hosts, options: Options) -> Verdict:
    """Return the plan of a removal, of nothing to remove, or the reasons not to."""
    master, refusals = identify.master_of(observations)
    if master is None:
        return refused([_without_a_master(refusal) for refusal in refusals])
    source, choice = observations[master], options["existing_data"]
    standby, refusals = _to_remove(observations, master, options["standby_host"], choice)
    refusals = refusals or renamed.refusals(options.get("renamed") or {}, standby)
    if refusals:
        return refused(refusals)
    seen = topology.seen_at(observations, standby)
    reachable = topology.kind(seen) != topology.UNREACHABLE
    copy = reachable and topology.system_identifier(seen) == topology.system_identifier(source)
    if standby and copy:
        refusals += checks.same_machine(standby, seen, master, source)
        refusals += _may_be_a_master(standby, seen)
        refusals += _undeletable(standby, seen, source) if choice == "discard" else []
        if not refusals:
            refusals += _newer(standby, master, observations, options)
    server = source["server"]
    slot = conninfo.slot_name(standby or master)
    others = [name for name in server["standbys"] if name not in (standby, master)]
    segments = bool(server["segments"]) or source["blocks"]["segments"] is not None
    segments = segments and not options.get("all_goes")
    alone = not others
    # the further standbys go on letting each other in, and nobody else
    left = [master, *(name for name in others if members.is_there(observations.get(name)))]
    all_there = bool(others) and len(left) == len(others) + 1
    lines = members.lines_between(observations, hosts, left, options["replication_user"])
    discards = choice == "discard" and (copy or (reachable and topology.kind(seen) == topology.EMPTY))
    refusals += guarded.never_alone(standby, source, others, options)
    released_to = _synchronous(source, standby, slot)
    becomes_none = alone or standby in server["standbys"] or topology.slot_of(source, slot) is not None
    slots = ["slot"] if table.of(source).keeps_wal_for_standby else []
    take = [*slots, "registration", *(["role"] if alone and not segments else [])]
    taken_back = {**slots_.without(source, slot), **(slots_.limit_before(source) if alone else {})}
    asks_it = "interlock" in source["programs"] and bool(source["programs"]["interlock"]["settings"])
    confirm = alone and server["mirroring"] is not None
    plan: RemovalPlan = {
        "workflow": "remove_standby",
        "engine": source["engine"],
        "master": master,
        "standby": standby,
        "slot": slot,
        "others": others,
        "segments": segments,
        "reachable": reachable,
        "stop": copy,
        "was": "standby" if standby and _is_standby(standby, seen, source) else "master",
        "discard": discards,
        "system_identifier": topology.system_identifier(source),
        "synchronous": released_to,
        "hba_lines": lines,
        "hba_file": server["settings"]["access_file"],
        "take": take,
        "late_settings": taken_back,
        "forgotten": [standby] if others and standby else [],
        "rewind_roles": server["rewind_roles"] if alone else [],
        "endpoints": {name: hosts[name] for name in left},
        "confirm": confirm,
        "left": _left(standby, observations, copy, standby in server["standbys"]),
        "let_go_seconds": guarded.seconds(options),
        "steps": {
            "release": only(master, released_to is not None),
            "let_go": only(master, standby is not None and guarded.has_files(source)),
            "leave": only(standby, reachable),
            "stop": only(standby, reachable and copy),
            "let_in": [name for name in left if all_there and observations[name]["blocks"]["access"] != lines],
            "late_settings": only(master, bool(taken_back)),
            "take_away": [master],
            "let_out": only(master, alone and source["blocks"]["access"] is not None),
            "source": only(master, becomes_none),
            "password": only(master, "role" in take),
            "interlock": left if asks_it else [],
            "discard": only(standby, discards),
            "free": only(standby, discards),
            "forget": left if discards else [],
            "confirm": only(master, confirm),
        },
    }
    steps = plan["steps"]
    marked = disk.access(observations, [*steps["let_in"], *steps["let_out"]])
    gone = [name for name in steps["free"] if observations[name]["ssh"]["restricted"]]
    marked += disk.keys(observations, gone)
    return decide(plan, refusals + disk.not_said(marked, refusals))


def _without_a_master(refusal: Refusal) -> Refusal:
    """Say of a refusal that other workflows share what it means here."""
    if refusal.kind != "no-master":
        return refusal
    return refusal._replace(why="what is kept for a standby is kept on its running master")


def _to_remove(
    observations: topology.Observations, master: str, chosen: str | None, choice: str
) -> tuple[str | None, list[Refusal]]:
    """Return the standby that is meant. Without any, the host that may still hold something of an earlier one."""
    source = observations[master]
    registered = [name for name in source["server"]["standbys"] if name != master]
    hosts = [name for name in observations if name != master]
    followers = [name for name in hosts if _has_to_go(name, observations[name], source, choice)]
    candidates = list(dict.fromkeys([*registered, *followers]))
    if chosen == master:
        return None, [
            Refusal(
                "is-the-master",
                f"{master} is the master",
                "a master cannot be removed as a standby",
                one_of("standby_host", candidates)
                if candidates
                else "It has no standby, so there is nothing to remove",
            )
        ]
    if chosen:
        known = chosen in (*candidates, *hosts) or topology.slot_of(source, conninfo.slot_name(chosen))
        if known or not candidates:
            return chosen, []
        return None, [
            Refusal(
                "no-such-standby",
                f"{chosen} is no standby of {master}, which has {', '.join(candidates)}",
                "only a standby can be removed",
                correct("standby_host"),
            )
        ]
    candidates = candidates or [name for name in hosts if topology.slot_of(source, conninfo.slot_name(name))]
    if len(candidates) > 1:
        found = f"there are {len(candidates)} standbys ({', '.join(candidates)})"
        return None, [identify.several(found, "to be removed", "standby_host", candidates)]
    return next(iter(candidates or hosts if len(candidates or hosts) == 1 else []), None), []


def _is_standby(name: str, seen: topology.Observation, source: topology.Observation) -> bool:
    """Whether a host holds a standby, or what was one when it was removed; a former master's data is not."""
    if topology.kind(seen) not in (*topology.STANDBYS, *topology.BUSY):
        return False
    directory = seen["data_directory"]
    if directory["fenced"] and not directory["removed"]:
        return topology.streams(source, conninfo.slot_name(name))  # a former master that follows by now
    return topology.is_standby(seen)


def _has_to_go(name: str, seen: topology.Observation, source: topology.Observation, choice: str) -> bool:
    """Whether a host has a standby of this master that a removal has something to do on."""
    if not _is_standby(name, seen, source):
        return False
    if topology.system_identifier(seen) != topology.system_identifier(source):
        return False
    done = seen["data_directory"]["removed"] and topology.kind(seen) == topology.STOPPED_STANDBY
    return not done or choice == "discard"


def _may_be_a_master(name: str, seen: topology.Observation) -> list[Refusal]:
    """A server of the same system that gives no session and is no standby may serve others."""
    if topology.kind(seen) not in topology.BUSY or topology.is_standby(seen):
        return []
    return [
        Refusal(
            "may-be-a-master",
            f"{name} has {topology.describe(seen)}, and nothing there says that it is a standby",
            "it may be a second master whose work is wanted",
            f"Look at it (journalctl -u {seen['service']['unit']} on {name}); if it is not wanted, stop it"
            f" (systemctl stop {seen['service']['unit']}), {AGAIN}",
        )
    ]


def _newer(standby: str, master: str, observations: topology.Observations, options: Options) -> list[Refusal]:
    """What is newer than what the master has is not taken away without being told: it may be the right one."""
    more = newer.of(standby, observations[standby], master, observations[master])
    if more is None or options.get(newer.OPTION):
        return []
    refusal = newer.refusal(more, (standby, master), observations)
    command = playbook(
        "remove_standby",
        standby_host=options["standby_host"],
        existing_data="discard" if options["existing_data"] == "discard" else None,
        accept_data_loss=True,
    )
    return [refusal._replace(command=f"{refusal.command}. To remove it all the same: {command}")]


def _undeletable(name: str, seen: topology.Observation, source: topology.Observation) -> list[Refusal]:
    """What a discard must not take."""
    directory = seen["data_directory"]
    place = f"{directory['path']} on {name}"
    by_hand = (
        f"Leave its data where it is: {again(existing_data=None)}. Then delete it there yourself, on {name}: rm -r"
        f" {directory['path']}"
    )
    if not _is_standby(name, seen, source):
        why = "it may hold commits that the master lacks"
        return [
            Refusal("data-of-a-former-master", f"{place} holds a former master's data, not a standby's", why, by_hand)
        ]
    if disk.inside(name, seen):
        return disk.inside(name, seen)
    if directory["mount_point"] or directory["link"] or directory["wal_link"]:
        return [
            Refusal(
                "mount-or-link",
                f"{place} is itself a mount point or a link, or its {table.of(seen).words.wal_directory} is one",
                "no standby that was made here is, so it is not deleted",
                by_hand,
            )
        ]
    return []


def _synchronous(source: topology.Observation, standby: str | None, slot: str) -> dict[str, str] | None:
    """Return whom commits wait for and must wait for, or None when none waits for this standby."""
    now = source["server"]["settings"]["synchronous_standbys"]
    if not standby or not now or guarded.waits_as_told(source):
        return None
    sender = topology.sender_of(source, slot)
    own = {standby, *([sender["name"]] if sender else [])}
    senders = [row["name"] for row in source["server"]["senders"]]
    others = [name for name in senders if name not in own and not name.startswith("hawq_mirroring")]
    after = released(now, own, len(others))
    return None if after == now else {"was": now, "value": after}


def released(names: str, standby: set[str], others: int) -> str:
    """Return the synchronous standbys without one: commits must never wait for more than can answer.

    ``others`` counts the other senders, which ``*`` stands for.
    """
    method, number, every = synchronous.parse(names)
    gone = {name.lower() for name in standby}
    left = [name for name in every if name.lower() not in gone and (name != "*" or others)]
    if left == every and "*" not in every:
        return names
    if not left:
        return ""
    most = others if "*" in left else len(left)
    text = ", ".join(name if name == "*" else '"' + name.replace('"', '""') + '"' for name in left)
    if left == every and number <= most:
        return names
    return f"{method} {min(number, most)} ({text})"


def _left(standby: str | None, observations: topology.Observations, copy: bool, registered: bool) -> list[str]:
    """Return what stays on the standby's host because nobody could or may touch it, and what goes on."""
    if standby is None:
        return []
    name = playbook("remove_standby", standby_host=standby)
    if standby not in observations:
        if not registered:
            return []
        return [
            f"{standby} is not in the group {group(MASTERS)}, so nothing was done on its host: its data directory is"
            f" still there, as a standby that follows nobody. To clean up there, add it to the group and run again:"
            f" {name}"
        ]
    seen = observations[standby]
    if topology.kind(seen) == topology.UNREACHABLE:
        what = (
            "its data directory is still there, as a standby that follows nobody and never becomes a master by itself"
            if registered
            else "what it holds was not looked at"
        )
        when = (
            "When it is back, run again, since a failover would take it for a standby"
            if registered
            else "When it is back, run again"
        )
        return [f"{topology.being(standby, seen)}: {what}. {when}: {name}"]
    if not copy and topology.kind(seen) != topology.EMPTY:
        return [
            f"{seen['data_directory']['path']} on {standby} holds {topology.describe(seen)}, not known to be a copy of"
            " this master: it was left alone"
        ]
    return []
