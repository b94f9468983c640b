# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which host is the master and which is, or becomes, its standby: never a matter of the inventory's order. Pure."""

from __future__ import annotations

import typing as t

from ..values import conninfo
from ..values.command import playbook
from . import checks, topology
from .refusal import AGAIN, Refusal, one_of


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
        return None, [
            Refusal(
                "two-masters",
                f"{' and '.join(writers)} both accept writes",
                "with two masters every further step could destroy committed work",
                f"Look at both ({playbook('state')}), stop the one whose work is not wanted ("
                + " or ".join(f"systemctl stop {observations[name]['service']['unit']} on {name}" for name in writers)
                + f"), {AGAIN}",
            )
        ]
    seen = "; ".join(f"{name}: {topology.describe(observation)}" for name, observation in observations.items())
    kinds = {name: topology.kind(observation) for name, observation in observations.items()}
    stopped = [name for name, what in kinds.items() if what == topology.STOPPED]
    frozen = [name for name, what in kinds.items() if what == topology.FROZEN]
    silent = [name for name, what in kinds.items() if what == topology.SILENT]
    if frozen:
        command = f"If {frozen[0]} is the master, {thaw(observations[frozen[0]])}, {AGAIN}"
    elif silent:
        command = f"If {silent[0]} is the master, mend what keeps sessions out of it, {AGAIN}"
    elif stopped:
        unit = observations[stopped[0]]["service"]["unit"]
        command = (
            f"If {stopped[0]} is the master, start it there (systemctl start {unit}; if it does not start, journalctl"
            f" -u {unit} says why), {AGAIN}. If it is lost: {playbook('failover')}"
        )
    elif set(kinds.values()) == {topology.EMPTY}:
        command = f"Make a master first: {playbook('init_master', master_host='HOST')}"
    else:
        command = f"Bring the master's host and server up, {AGAIN}"
    return None, [
        Refusal("no-master", f"no host accepts writes ({seen})", "a standby is made from a running master", command)
    ]


def thaw(seen: topology.Observation) -> str:
    unit = seen["service"]["unit"]
    return f"let it go on there (kill -CONT {seen['process']['pid']}) or restart it (systemctl restart {unit})"


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
                "Name another host of the group masters with -e standby_host=",
            )
        ]
    if standby_host and standby_host not in candidates:
        return None, [
            not_in_group(standby_host, observations, "Add it to the group masters, or correct -e standby_host=")
        ]
    if standby_host and (further or not others or _belongs(standby_host, observations[master])):
        return standby_host, []
    unknown = [name for name in others if name not in candidates]
    if standby_host or unknown:
        repair = (
            f"Add {unknown[0]} to the inventory's group masters to repair it"
            if unknown
            else f"Run without -e standby_host= to repair {others[0]}"
        )
        beside = "beside it: -e additional_standby=true; instead of it: -e replace_standby=true; or "
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
                f"the group masters has no host beside the master {master}",
                "a standby needs a host of its own",
                f"Add its host to the inventory's group masters, {AGAIN}",
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
            f"the group masters has {len(candidates)} hosts beside the master ({', '.join(candidates)})",
            "to be the standby",
            "standby_host",
            candidates,
        )
    ]


def not_in_group(name: str, observations: t.Iterable[str], command: str) -> Refusal:
    """Return the refusal of a host that was named and is none of the group."""
    return Refusal(
        "not-in-group",
        f"{name} is not in the inventory's group masters ({', '.join(observations)})",
        "only hosts of that group are looked at",
        command,
    )


def several(found: str, purpose: str, option: str, names: t.Iterable[str]) -> Refusal:
    """Return the refusal to choose between hosts, of which the operator must name one."""
    return Refusal("several-hosts", found, f"it cannot be said which is {purpose}", one_of(option, names))
