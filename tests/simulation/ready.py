# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""S10: when the state is called well, a failover of each single fault works and loses nothing: tried on copies."""

from __future__ import annotations

import typing as t

from . import faults, units
from .advice import kind_of, troubles
from .alike import shape
from .failure import PromiseBroken
from .promises import acknowledged
from .run import Run, execute, state
from .wal import bits
from .world import World


def _dies(world: World, name: str) -> dict[str, t.Any]:
    faults.crash(world, name)
    return {}


def _silent(world: World, name: str) -> dict[str, t.Any]:
    units.power_off(world, world.hosts[name])
    return {"master_is_down": True}


def _lost(world: World, name: str) -> dict[str, t.Any]:
    faults.disk_lost(world, name)
    return {"master_is_down": True}


LOSSES: dict[str, t.Callable[[World, str], dict[str, t.Any]]] = {
    "the master's server dies": _dies,
    "the master's host goes silent": _silent,
    "the master's host is lost": _lost,
}


#: worlds of which it is known that a failover works, each with the loss
_TRIED: set[tuple[t.Any, str]] = set()
#: worlds that are not called well
_SICK: set[t.Any] = set()


def _reason(world: World, run: Run) -> str:
    """Return why, in words that are the same for the same fault."""
    words = " ".join(row.kind for row in run.refusals) if run.refusals else kind_of(run.messages)
    return words + troubles(world)


def _on_its_way(world: World, master: str) -> bool:
    """Whether WAL has yet to come over: replication is asynchronous, and a loss of that is no surprise."""
    data = world.hosts[master].data
    theirs = [world.hosts[link.standby].data for link in world.links if link.master == master]
    ends = [each.end for each in theirs if each and not each.fenced]
    return bool(data and ends and data.end not in ends)


def check(world: World, losses: t.Iterable[str] = tuple(LOSSES)) -> bool:
    """Break the promise where a state is called well and a failover would fail; return whether it is called well."""
    alike = shape(world)
    if world.wrong or world.alone or alike in _SICK:
        return False
    if all((alike, loss) in _TRIED for loss in losses):
        return True
    document = state(world)
    if document["problems"] or len(document["masters"]) != 1:
        _SICK.add(alike)
        return False
    master = document["masters"][0]
    if _on_its_way(world, master):
        return True
    for loss in losses:
        if (alike, loss) in _TRIED:
            continue
        other = world.copy()
        now = other.hosts[master].data
        before = acknowledged(other) & ~other.accepted & ~other.told & (now.end.rows if now else 0)
        options = LOSSES[loss](other, master)
        run = execute(other, "failover", **options)
        new = next(iter(other.writers()), None)
        if run.ended != "done" or new is None:
            raise PromiseBroken(
                f"well, and a failover is {run.ended}: {_reason(other, run)}",
                f"the state is called well; {loss}, and failover.yml is {run.ended}: {'; '.join(run.messages)}",
            )
        data = other.hosts[new].data
        lacks = before & ~(data.end.rows if data else 0)
        if lacks:
            raise PromiseBroken(
                "well, and a failover loses rows",
                f"the state is called well; {loss}, and after failover.yml rows {bits(lacks)} are not on {new}",
            )
        _TRIED.add((alike, loss))
    return True
