# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What to do while no host accepts writes. Pure: no I/O, no clock.

The master may be started again when its data is the newest there is; else a standby takes over.
"""

from __future__ import annotations

from ...values.command import asked_of, playbook
from .. import followers, identify, inventory, remains, timelines, topology
from ..failover import judge as failover
from ..topology import Observation, kind
from . import waiting
from .group import Finding, Group, finding, is_away, systemctl


def findings(group: Group) -> list[Finding]:
    """Return the one problem that there is then, and what waits for something."""
    elsewhere = [name for name, seen in group.reachable.items() if seen["elsewhere"]]
    if elsewhere:
        return [_either(elsewhere[0], group.reachable[elsewhere[0]])]
    waits = [
        f"the start of {name} waits: {seen['service']['waits_for']}"
        for name, seen in group.reachable.items()
        if seen["service"]["waits_for"]
    ]
    text = "; ".join(["no host accepts writes", *waits])
    return [finding("no-master", None, text, _command(group, bool(waits)))]


def _command(group: Group, waits: bool) -> str:
    seen = group.observations
    left = remains.way(seen)
    if left:
        return f"{left[0].lower()}{left[1:]}"
    if {kind(each) for each in seen.values()} == {topology.EMPTY}:
        return f"make a master on one of them: {playbook('init_master', master_host=next(iter(seen)))}"
    takers = [name for name, each in seen.items() if topology.may_take_over(each)]
    stopped = _newest(group)
    frozen = [name for name, each in group.reachable.items() if kind(each) == topology.FROZEN]
    away = [name for name, each in seen.items() if is_away(each)]
    or_failover = f"; if that does not help, make {takers[0]} the master: {playbook('failover')}" if takers else ""
    if waits:
        return waiting.command(group, or_failover)
    unmarked = _unmarked(group)
    if unmarked:
        restart = systemctl("restart", unmarked, seen[unmarked])
        return (
            f"{unmarked} runs as a standby without the mark of one, and is the master when it is restarted: {restart}"
        )
    older = identify.beside_newer(group.reachable, stopped)
    if older:
        return identify.start_beside(seen, stopped, older)
    if len(stopped) > 1:
        return waiting.which_of(group, stopped)
    if stopped and not _runs_beside(group, stopped[0]):
        # its interlock asks those that are away before it lets it start
        if identify.no_unit(stopped[0], seen[stopped[0]]):
            return f"{identify.no_unit(stopped[0], seen[stopped[0]])}, then look again: {playbook('state')}"
        first = f"switch {' and '.join(away)} on, or mend the way there: the master may be there; else " if away else ""
        return f"{first}start {stopped[0]} again ({systemctl('start', stopped[0], seen[stopped[0]])}){or_failover}"
    if frozen and not any(topology.is_standby(seen[name]) for name in frozen):
        return f"on {frozen[0]}, {identify.thaw(seen[frozen[0]])}{or_failover}"
    if away and takers:
        on = "; ".join(topology.bring_up(name, seen[name], "") for name in away if topology.mend(seen[name]))
        if inventory.unresolved(seen):  # that says nothing of the host, which may be the master, alive
            return f"{on}, then look again: {playbook('state')}"
        sure = (
            f"{on or 'switch ' + ' and '.join(away) + ' on'}, or when it is certain that it is off, make {takers[0]}"
            " the master"
        )
        return f"{sure}: {playbook('failover', master_is_down=True)}"
    with asked_of("failover"):
        verdict = failover.judge(seen, group.hosts, _told(group))
    return verdict.refusals[0].command if verdict.refusals else f"make {takers[0]} the master: {playbook('failover')}"


def _either(name: str, seen: Observation) -> Finding:
    """Of a server whose port alone fits nobody knows whether it is the one that is meant."""
    way = (
        f"if that is the master, {inventory.correct_directory(name, seen)}; if it is another server, set server_port"
        f" for {name} to a port of its own. Then look again: {playbook('state')}"
    )
    text = f"{inventory.runs_from(name, seen)}: that may be the master, and no other host accepts writes"
    return finding("inventory-directory", name, text, way)


def _unmarked(group: Group) -> str | None:
    """Return a server that runs as a standby of nobody and whose mark is gone, if none has newer data than it has.

    Somebody has started a fenced master, and the marks of the fence were taken away then.
    """
    first = next(iter(topology.newest(group.reachable)), None)
    place = _place(group.observations[first]) if first else (0, "")
    return next(
        (
            name
            for name, seen in group.reachable.items()
            if kind(seen) == topology.STANDBY
            and seen["server"]
            and not seen["data_directory"]["marked_standby"]
            and not seen["server"]["receiver"]
            and _follows_nobody(group, name)
            and _place(seen) == place
        ),
        None,
    )


def _follows_nobody(group: Group, name: str) -> bool:
    """Whether a server is told to follow nobody, or one that follows it: that is left of an earlier time."""
    seen = group.observations
    if followers.told(seen[name])[0] is None:
        return True
    other = followers.followed_by(seen[name], group.hosts, seen)
    return bool(
        other and topology.is_standby(seen[other]) and followers.followed_by(seen[other], group.hosts, seen) == name
    )


def _place(seen: Observation) -> tuple[int, str]:
    return timelines.timeline(seen) or 0, topology.end(seen) or ""


def _runs_beside(group: Group, name: str) -> bool:
    """Whether a frozen server on the same timeline is a master all the same: it is the one that is to go on."""
    mine = timelines.timeline(group.observations[name])
    return any(
        kind(seen) == topology.FROZEN
        and not seen["data_directory"]["marked_standby"]
        and timelines.timeline(seen) == mine
        for seen in group.reachable.values()
    )


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
        name: _furthest(seen)
        for name, seen in group.reachable.items()
        if kind(seen) not in (topology.EMPTY, topology.OTHER) and not seen["data_directory"]["unfinished"]
    }
    newest = max(places.values(), default=0)
    return [name for name, place in places.items() if place == newest and _may_start(group.observations[name])]


def _furthest(seen: Observation) -> int:
    """Return the newest timeline that a host may be on: without a session its control file may name an older one."""
    told = [] if kind(seen) == topology.STOPPED or seen["server"] else map(int, seen["histories"])
    return max([timelines.timeline(seen) or 0, *told])


def _may_start(seen: Observation) -> bool:
    directory = seen["data_directory"]
    return kind(seen) == topology.STOPPED and not directory["fenced"] and not directory["unfinished"]
