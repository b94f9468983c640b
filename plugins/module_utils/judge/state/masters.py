# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with the master: there is none, there are several, or nobody can look. Pure: no I/O, no clock."""

from __future__ import annotations

import typing as t

from ...values import lsn
from ...values.command import playbook
from ...values.text import moment
from .. import checks, identify, systems, timelines, topology
from ..topology import Observation, describe
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
            f"{_mend(group, name)}, then look again: {playbook('state')}",
        )
        for name in doubtful
    ]
    reachable = group.reachable
    blind = [name for name, seen in reachable.items() if topology.is_mute(seen) and not topology.is_standby(seen)]
    found += [
        finding(
            "cannot-look",
            name,
            f"the server on {name} cannot be asked what it is ({group.observations[name]['server_error']})",
            f"{identify.library(name, reachable[name])}, then look again: {playbook('state')}",
        )
        for name in blind
    ]
    return found + [_serves_others(group, name) for name, seen in reachable.items() if _is_closed(group, name, seen)]


def _is_closed(group: Group, name: str, seen: Observation) -> bool:
    return not group.master and topology.lets_in(seen) and not topology.is_mute(seen)


def _serves_others(group: Group, name: str) -> Finding:
    """Nobody knows whether it is the master, so that nothing is said of there being none."""
    seen = group.observations[name]
    text = (
        f"the server on {name} runs and gives no session to this collection ({seen['server_error']}): it may be the"
        " master, and clients may use it"
    )
    look = on(name, f"journalctl -n 20 -u {seen['service']['unit']}")
    stop = f"if it is to be given up, {systemctl('stop', name, seen)}, then: {playbook('failover')}"
    return finding(
        "cannot-look", name, text, f"mend what that says ({look}), then look again: {playbook('state')}; {stop}"
    )


def _nobody(group: Group) -> Finding:
    """Most likely it is the controller that cannot log in anywhere."""
    first = next((name for name, seen in group.observations.items() if topology.mend(seen)), None)
    seen = "; ".join(f"{name} is {describe(seen)}" for name, seen in group.observations.items())
    return finding(
        "cannot-look",
        None,
        f"no host can be looked at: {seen}",
        f"{_mend(group, first or next(iter(group.observations)))}, then look again: {playbook('state')}",
    )


def _mend(group: Group, name: str) -> str:
    way = f"mend the way there (ssh {group.hosts[name]['address']} true must work on the controller)"
    return topology.bring_up(name, group.observations[name], way)


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
    if systems.several(seen):
        text = f"{' and '.join(names)} are the masters of different database systems ({systems.words(seen)})"
        way = f"{systems.way(seen)}. All at once are told by {playbook('state')}"
        return [finding("several-systems", None, text, way[:1].lower() + way[1:])]
    what = "; ".join(f"{name}: {_of_master(group, name)}" for name in names)
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
