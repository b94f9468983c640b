# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with the master: there is none, there are several, or nobody can look. Pure: no I/O, no clock."""

from __future__ import annotations

import typing as t

from ...values import lsn
from ...values.command import playbook
from ...values.text import moment
from .. import checks, timelines, topology
from ..topology import Observation, describe, kind
from . import facts, without_master
from .group import Finding, Group, finding, is_away, on, systemctl


def findings(group: Group) -> list[Finding]:
    """Return what is wrong with the master, and of hosts that nobody can look at."""
    if len(group.masters) > 1:
        return _several(group)
    away = _cannot_look(group)
    return [*away, *([] if away or group.master else without_master.findings(group))]


def _cannot_look(group: Group) -> list[Finding]:
    """A host that cannot be looked at is told where it leaves open who is the master, or whether its standby is one."""
    away = [name for name, seen in group.observations.items() if is_away(seen)]
    if len(away) == len(group.observations):
        return [_nobody(group)]
    if group.master:
        doubtful = [name for name in away if name in group.standbys and _in_step(group, name)]
        words = "standby {} is {}: its master calls it Synchronized, and whether it could take over cannot be said"
    else:
        doubtful = [name for name in away if _may_be_master(group, name)]
        words = "{} is {}, and may be the master"
    found = [
        finding(
            "cannot-look",
            name,
            words.format(name, describe(group.observations[name])) + _served(group, name),
            f"mend the way there (ssh {group.hosts[name]['address']} true must work on the controller), then look"
            f" again: {playbook('state')}",
        )
        for name in doubtful
    ]
    blind = [name for name, seen in group.reachable.items() if kind(seen) == topology.SILENT and _lacks_library(seen)]
    return found + [
        finding(
            "cannot-look",
            name,
            f"the server on {name} cannot be asked what it is ({group.observations[name]['server_error']})",
            f"install that on {name}, then look again: {playbook('state')}",
        )
        for name in blind
    ]


def _nobody(group: Group) -> Finding:
    """Most likely it is the controller that cannot log in anywhere."""
    first = next(iter(group.observations))
    seen = "; ".join(f"{name} is {describe(seen)}" for name, seen in group.observations.items())
    return finding(
        "cannot-look",
        None,
        f"no host can be looked at: {seen}",
        f"mend the login from the controller (ssh {group.hosts[first]['address']} true must work there), then look"
        f" again: {playbook('state')}",
    )


def _lacks_library(seen: Observation) -> bool:
    return not seen["binaries"]["client_library"]


def _in_step(group: Group, name: str) -> bool:
    return topology.mirroring(group.source, name)["summary_state"] == topology.SYNCHRONIZED


def _may_be_master(group: Group, name: str) -> bool:
    """Whether nobody has seen that a host's server does not answer: others can look at its port."""
    seen = [other["probes"][name] for other in group.reachable.values() if name in other["probes"]]
    return not seen or any(row["answers"] for row in seen)


def _served(group: Group, name: str) -> str:
    names = [other for other, seen in group.reachable.items() if name in seen["probes"]]
    answered = [other for other in names if group.observations[other]["probes"][name]["answers"]]
    return f" (its server answers {' and '.join(answered)})" if answered else ""


def _several(group: Group) -> list[Finding]:
    """Two masters: what each is and has, and how to go on with either; which one is right only people can say."""
    names, seen = group.masters, group.observations
    twice = [row for name in names[1:] for row in checks.same_machine(name, seen[name], names[0], seen[names[0]])]
    if twice:
        return [finding("two-masters", None, f"{twice[0].found}: {twice[0].why}", twice[0].command)]
    what = "; ".join(f"{name}: {_of_master(group, name)}" for name in names)
    if len({topology.system_identifier(seen[name]) for name in names}) > 1:
        return [
            finding(
                "several-systems",
                None,
                f"{' and '.join(names)} both accept writes, for different database systems ({what}): an inventory is"
                " for one master and its standbys",
                f"give each system an inventory of its own, then look again: {playbook('state')}",
            )
        ]
    newest = max(timelines.timeline(seen[name]) or 0 for name in names)
    newer = [name for name in names if (timelines.timeline(seen[name]) or 0) == newest]
    promoted = f". {newer[0]} was made a master later, while the other went on" if len(newer) == 1 else ""
    ways = "; ".join(f"to keep what {name} has, {_keep(group, name)}" for name in names)
    return [
        finding(
            "two-masters",
            None,
            f"{' and '.join(names)} both accept writes ({what}){promoted}",
            f"decide whose work is right, mostly that of the one with the clients and the address: {ways}. What the"
            " other one alone has is kept aside there",
        )
    ]


def _of_master(group: Group, name: str) -> str:
    seen = group.observations[name]
    server, address = seen["server"], facts.virtual_ip(group)
    words = [
        f"timeline {timelines.timeline(seen)}",
        f"LSN {server['current_lsn']}",
        f"started {moment(server['started'])}",
        f"{server['clients']} clients",
        *([f"holds {address['address']}"] if address and name in address["holders"] else []),
    ]
    return ", ".join(words)


def _keep(group: Group, name: str) -> str:
    """Return how to go on with one of several masters."""
    seen = group.observations
    others = [other for other in group.masters if other != name]
    stop = ", ".join(_stop(other, seen[other]) for other in others)
    # a host that is not behind is only taken back by who says so
    ahead = any(_place(seen[other]) >= _place(seen[name]) for other in others)
    back = group.resync(others[0], accept_data_loss=True if ahead else None)
    return f"{stop}, then: {back}"


def _stop(name: str, seen: Observation) -> str:
    """A server that was started past its unit is none that the unit stops."""
    if seen["service"]["active"] == "active":
        return systemctl("stop", name, seen)
    return on(name, f"kill -INT {seen['process']['pid']}")


def _place(seen: Observation) -> tuple[int, int]:
    server = t.cast("dict[str, t.Any]", seen["server"])
    return timelines.timeline(seen) or 0, lsn.parse(server["current_lsn"] or "0/0")
