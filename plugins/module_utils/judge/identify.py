# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which host is the master and which is, or becomes, its standby: never a matter of the inventory's order. Pure."""

from __future__ import annotations

import typing as t

from ..values import conninfo
from ..values.clusters import MASTERS
from ..values.command import adhoc, again, group, playbook
from . import checks, newer, remains, timelines, topology
from .refusal import AGAIN, Refusal, correct, one_of


def master_of(observations: topology.Observations) -> tuple[str | None, list[Refusal]]:
    """Return the one host that accepts writes, or why it cannot be said."""
    writers = topology.masters(observations)
    if len(writers) == 1:
        return writers[0], []
    twice = [
        refusal
        for name in writers[1:]
        for refusal in checks.same_machine(name, observations[name], writers[0], observations[writers[0]])
    ]
    if twice:
        return None, twice
    if writers:
        return None, [newer.two_masters(writers, observations)]
    unseen = not_looked_at(observations)
    if unseen:
        return None, unseen
    seen = "; ".join(f"{name}: {topology.describe(observation)}" for name, observation in observations.items())
    why, command = "a standby is made from a running master", to_a_master(observations)
    return None, [Refusal("no-master", f"no host accepts writes ({seen})", why, command)]


def library(name: str, seen: topology.Observation) -> str:
    """Return what gives Ansible the library that asks a server; Debian and Red Hat call its package the same.

    A package is for the system's own Python, so that it helps no other one.
    """
    python = seen["binaries"].get("other_python")
    if python:
        return f"let Ansible run the system's own Python there, not {python}: set ansible_python_interpreter for {name}"
    return f"let Ansible install what asks it: {adhoc(name, 'package', 'name=python3-psycopg2')}"


def not_looked_at(observations: topology.Observations) -> list[Refusal]:
    """Return a refusal for each host that is on and could not be looked at, or whose server could not be asked.

    It may be the master, so that nothing is said of there being none. When nobody answers at all, it is most likely the
    controller that is cut off.
    """
    closed = [name for name, seen in observations.items() if topology.mend(seen)]
    mute = [name for name, seen in observations.items() if topology.is_mute(seen) and not topology.is_standby(seen)]
    away = all(topology.kind(seen) == topology.UNREACHABLE for seen in observations.values())
    if away and not closed:
        seen = "; ".join(f"{topology.being(name, each)}" for name, each in observations.items())
        found, command = f"no host can be looked at: {seen}", f"Bring {' and '.join(observations)} up"
        return [Refusal("cannot-look", found, "any of them may be the master", f"{command}, {AGAIN}")]
    return [
        *(
            Refusal(
                "cannot-look",
                f"{topology.being(name, observations[name])}",
                "it may be the master",
                f"F{topology.bring_up(name, observations[name], '')[1:]}, {AGAIN}",
            )
            for name in closed
        ),
        *(
            Refusal(
                "cannot-look",
                f"the server on {name} cannot be asked what it is ({observations[name]['server_error']})",
                "it may be the master",
                f"L{library(name, observations[name])[1:]}, {AGAIN}",
            )
            for name in mute
        ),
    ]


def to_a_master(observations: topology.Observations) -> str:
    """Return what to do where nobody accepts writes: whose data is the newest becomes or stays the master."""
    kinds = {name: topology.kind(observation) for name, observation in observations.items()}
    frozen = [name for name, what in kinds.items() if what == topology.FROZEN]
    silent = [name for name, what in kinds.items() if what == topology.SILENT]
    away = [name for name, what in kinds.items() if what == topology.UNREACHABLE]
    standbys = [name for name, seen in observations.items() if topology.may_take_over(seen)]
    stopped = [name for name, seen in observations.items() if remains.may_start(seen) and not _fenced(seen)]
    nameless = [name for name, seen in observations.items() if seen.get("unresolved")]
    order = newer.newest(observations, [*stopped, *standbys])
    left = remains.way(observations)
    if left:
        return left
    older = beside_newer(observations, stopped)
    if older:
        return f"{start_beside(observations, stopped, older)}, {AGAIN}"
    if frozen:
        return f"If {frozen[0]} is the master, {thaw(observations[frozen[0]])}, {AGAIN}"
    if silent:
        return f"If {silent[0]} is the master, {let_in(observations[silent[0]])}, {AGAIN}"
    if order and order[0] in stopped:
        return _start(order, stopped, observations)
    if order and nameless:  # that says nothing of the host, which may be the master, alive
        return f"For {nameless[0]}: {topology.mend(observations[nameless[0]])}, {AGAIN}"
    if order:
        host = f"If {' or '.join(away)} is the master, bring it up, {AGAIN}. If it is off for certain: " if away else ""
        failover = playbook("failover", master_is_down=True if away else None)
        return f"{host or f'{order[0]} has the newest data: '}{failover}"
    fenced = [name for name, seen in observations.items() if remains.may_start(seen) and _fenced(seen)]
    if fenced and not away:
        name = newer.newest(observations, fenced)[0]
        start = newer.start(name, observations[name])
        return f"Only {name} has a master's data, and it is fenced. To let it go on: {start}"
    if set(kinds.values()) == {topology.EMPTY}:
        return f"Make a master first: {playbook('init_master', master_host=next(iter(observations)))}"
    return f"Bring {' and '.join(away) or 'the master'} up, {AGAIN}"


def no_unit(name: str, seen: topology.Observation) -> str:
    """Return what to do first on a host that has no unit of the inventory's name; empty where it has one."""
    if seen["service"]["load"] != "not-found":
        return ""
    others = " or ".join(row["unit"] for row in seen.get("rivals") or [])
    which = f"that is {others}" if others else "systemctl list-unit-files shows all"
    return (
        f"{seen['service']['unit']} is no unit of {name}: set server_service for it in the inventory to the unit that"
        f" runs its server ({which})"
    )


def _start(order: list[str], stopped: list[str], observations: topology.Observations) -> str:
    """Return how the master of before is started; of several the one that has the newest data."""
    name, unit = order[0], observations[order[0]]["service"]["unit"]
    start = f"(systemctl start {unit}; if it does not start, journalctl -u {unit} says why), {AGAIN}"
    if no_unit(name, observations[name]):
        return f"{no_unit(name, observations[name])}, {AGAIN}"
    if len(stopped) > 1:
        has = {each: f"timeline {timelines.timeline(observations[each])}" for each in stopped}
        behind = ", ".join(f"{each} has {has[each]}" for each in stopped if each != name)
        return f"Start {name}, which has the newest data ({has[name]}; {behind}), there {start}"
    lost = f". If it is lost: {playbook('failover')}" if len(order) > 1 else ""
    return f"If {name} is the master, start it there {start}{lost}"


def _fenced(seen: topology.Observation) -> bool:
    return seen["data_directory"]["fenced"]


def beside_newer(observations: topology.Observations, stopped: list[str]) -> list[str]:
    """Return the servers that run without a session on an older timeline than a stopped master's data.

    Their hosts would let that one not start, and what they are to be is its standbys.
    """
    newest = max((timelines.timeline(observations[name]) or 0 for name in stopped), default=0)
    return [
        name
        for name, seen in observations.items()
        if topology.kind(seen) in topology.BUSY
        and not seen["data_directory"]["marked_standby"]
        and 0 < (timelines.timeline(seen) or 0) < newest
    ]


def start_beside(observations: topology.Observations, stopped: list[str], older: list[str]) -> str:
    """Return how the newest of the stopped ones starts beside servers that are older and give no session."""
    first = newer.newest(observations, stopped)[0]
    stops = [f"on {name}: systemctl stop {observations[name]['service']['unit']}" for name in older]
    which = f"{first} has the newest data (timeline {timelines.timeline(observations[first])})"
    start = f"on {first}: systemctl start {observations[first]['service']['unit']}"
    return f"{which}, and does not start while {' and '.join(older)} runs: {', then '.join([*stops, start])}"


def let_in(seen: topology.Observation) -> str:
    """Return what to do about a server that gives no session."""
    unit = seen["service"]["unit"]
    return (
        f"look there at what keeps sessions out of it (journalctl -u {unit}), or restart it (systemctl restart {unit})"
    )


def thaw(seen: topology.Observation) -> str:
    """Return what lets a frozen server go on."""
    unit = seen["service"]["unit"]
    pid = seen["process"]["pid"]
    # what has stopped the first process has mostly stopped the others of the server as well
    return f"let it go on there (kill -CONT {pid} $(pgrep -P {pid})) or restart it (systemctl restart {unit})"


def standby_of(
    observations: topology.Observations, master: str, standby_host: str | None, further: bool = False
) -> tuple[str | None, list[Refusal]]:
    """Return the host that is or is to become a standby; ``further`` lets it be one beside or instead of another."""
    candidates = [name for name in observations if name != master]
    configured = topology.registered(master, observations[master])
    others = [name for name in configured if name != standby_host]
    if further and standby_host is None:
        return None, [
            Refusal(
                "host-not-named",
                "a standby beside or instead of another one is asked for, and no host is named",
                "a second run would make yet another one",
                one_of("standby_host", candidates),
            )
        ]
    if standby_host == master:
        return None, [
            Refusal(
                "is-the-master",
                f"{standby_host} is the master",
                "a master cannot be its own standby",
                f"Name another host of the group {group(MASTERS)}: {again(standby_host='HOST')}",
            )
        ]
    if standby_host and standby_host not in candidates:
        return None, [
            not_in_group(
                standby_host, observations, f"Add it to the group {group(MASTERS)}, or {correct('standby_host', 'c')}"
            )
        ]
    if standby_host and (further or not others or _belongs(standby_host, observations[master])):
        return standby_host, []
    unknown = [name for name in others if name not in candidates]
    if standby_host or unknown:
        repair = (
            f"Add {unknown[0]} to the inventory's group {group(MASTERS)} to repair it"
            if unknown
            else f"To repair {others[0]}: {again(standby_host=None)}"
        )
        beside = f"beside it: {again(additional_standby=True)}; instead of it: {again(replace_standby=True)}; or "
        return None, [
            Refusal(
                "has-a-standby",
                f"the master already has the standby {', '.join(others)}",
                "another one is only made when told how",
                f"{repair}; {beside if standby_host else 'or '}remove it:"
                f" {playbook('remove_standby', standby_host=(unknown or others)[0])}",
            )
        ]
    return _unnamed(observations, master, candidates)


def _belongs(name: str, master: topology.Observation) -> bool:
    """Whether the master keeps WAL for a host, or has it registered: its standby, or a former master to come back."""
    return name in master["server"]["standbys"] or topology.slot_of(master, conninfo.slot_name(name)) is not None


def _unnamed(
    observations: topology.Observations, master: str, candidates: list[str]
) -> tuple[str | None, list[Refusal]]:
    """Return the host that is meant when none was named: the only one, or the one that is not in order."""
    if not candidates:
        return None, [
            Refusal(
                "no-host",
                f"the group {group(MASTERS)} has no host beside the master {master}",
                "a standby needs a host of its own",
                f"Add its host to the inventory's group {group(MASTERS)}, {AGAIN}",
            )
        ]
    source = observations[master]
    known = [name for name in candidates if _belongs(name, source)]
    wrong = [name for name in known if not topology.streams(source, conninfo.slot_name(name))]
    there = [name for name in wrong if topology.kind(observations[name]) != topology.UNREACHABLE]
    for meant in (candidates, known, wrong, there):
        if len(meant) == 1:
            return meant[0], []
    if known and not wrong:
        return known[0], []
    return None, [
        several(
            f"the group {group(MASTERS)} has {len(candidates)} hosts beside the master ({', '.join(candidates)})",
            "to be the standby",
            "standby_host",
            candidates,
        )
    ]


def not_in_group(name: str, observations: t.Iterable[str], command: str) -> Refusal:
    """Return the refusal of a host that was named and is none of the group."""
    return Refusal(
        "not-in-group",
        f"{name} is not in the inventory's group {group(MASTERS)} ({', '.join(observations)})",
        "only hosts of that group are looked at",
        command,
    )


def several(found: str, purpose: str, option: str, names: t.Iterable[str]) -> Refusal:
    """Return the refusal to choose between hosts, of which the operator must name one."""
    return Refusal("several-hosts", found, f"it cannot be said which is {purpose}", one_of(option, names))
