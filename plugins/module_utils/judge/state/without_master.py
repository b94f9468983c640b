# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What to do while no host accepts writes. Pure: no I/O, no clock.

The master may be started again when its data is the newest there is; else a standby takes over.
"""

from __future__ import annotations

from ...values import lsn
from ...values.command import playbook
from .. import identify, timelines, topology
from ..failover import judge as failover
from ..topology import Observation, kind
from .group import Finding, Group, finding, is_away, systemctl


def findings(group: Group) -> list[Finding]:
    """Return the one problem that there is then, and what waits for something."""
    waits = [
        f"the start of {name} waits: {seen['service']['waits_for']}"
        for name, seen in group.reachable.items()
        if seen["service"]["waits_for"]
    ]
    text = "; ".join(["no host accepts writes", *waits])
    return [finding("no-master", None, text, _command(group, bool(waits)))]


def _command(group: Group, waits: bool) -> str:
    seen = group.observations
    if {kind(each) for each in seen.values()} == {topology.EMPTY}:
        return f"make a master: {playbook('init_master', master_host='HOST')}"
    takers = [name for name, each in seen.items() if topology.may_take_over(each)]
    stopped = _newest(group)
    frozen = [name for name, each in group.reachable.items() if kind(each) == topology.FROZEN]
    away = [name for name, each in seen.items() if is_away(each)]
    or_failover = f"; if it is lost, make {takers[0]} the master: {playbook('failover')}" if takers else ""
    if waits:
        first = "bring up what is waited for, and it starts by itself"
        return first + or_failover
    if len(stopped) > 1:
        return _which_of(group, stopped)
    if stopped:
        return f"start {stopped[0]} again ({systemctl('start', stopped[0], seen[stopped[0]])}){or_failover}"
    if frozen and not any(topology.is_standby(seen[name]) for name in frozen):
        return f"on {frozen[0]}, {identify.thaw(seen[frozen[0]])}{or_failover}"
    if away and takers:
        sure = f"switch {' and '.join(away)} on, or when it is certain that it is off, make {takers[0]} the master"
        return f"{sure}: {playbook('failover', master_is_down=True)}"
    verdict = failover.judge(seen, group.hosts, _told(group))
    return verdict.refusals[0].command if verdict.refusals else f"make {takers[0]} the master: {playbook('failover')}"


def _told(group: Group) -> failover.Options:
    return {
        **group.options,
        "standby_host": None,
        "master_is_down": False,
        "accept_data_loss": False,
        "witnesses": group.witnesses,
    }


def _newest(group: Group) -> list[str]:
    """Return the stopped masters on the newest timeline of all data that can be looked at, unless a standby is on it.

    One that was fenced was given up for another. What is on an older timeline was left behind, and must not be started.
    """
    places = {
        name: timelines.timeline(seen) or 0
        for name, seen in group.reachable.items()
        if kind(seen) not in (topology.EMPTY, topology.OTHER)
    }
    newest = max(places.values(), default=0)
    return [name for name, place in places.items() if place == newest and _may_start(group.observations[name])]


def _may_start(seen: Observation) -> bool:
    directory = seen["data_directory"]
    return kind(seen) == topology.STOPPED and not directory["fenced"] and not directory["unfinished"]


def _which_of(group: Group, stopped: list[str]) -> str:
    """Two were masters on the same timeline: the one that wrote last is further, as far as its data tells."""
    ends = {name: _end(group.observations[name]) for name in stopped}
    told = ", ".join(f"{name} has a checkpoint at {ends[name]}" for name in stopped)
    furthest = max(stopped, key=lambda name: lsn.parse(ends[name] or "0/0"))
    return (
        f"start the one that was the master last, mostly the one that is further ({told}):"
        f" {systemctl('start', furthest, group.observations[furthest])}"
    )


def _end(seen: Observation) -> str | None:
    return seen["control"]["checkpoint_lsn"] if seen["control"] else None
