# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What lets a start go on that waits for another host, while no host accepts writes. Pure: no I/O, no clock.

The permission lets a server start once without the answer of those that cannot say whether they are the master.
"""

from __future__ import annotations

from ...values import lsn, places
from ...values.observation import Observation
from .. import remains, timelines, topology
from .group import Group, is_away, on


def command(group: Group, or_failover: str) -> str:
    """Return what brings about what is waited for, and what lets the start go on without that."""
    seen = group.observations
    waiting = [name for name in topology.newest(group.reachable) if seen[name]["service"]["waits_for"]]
    first = (
        waiting[0] if waiting else next(name for name, each in group.reachable.items() if each["service"]["waits_for"])
    )
    others = [name for name in seen if name != first]
    if not any(is_away(seen[name]) for name in others):
        rivals = [name for name in others if _is_rival(seen[name], seen[first])]
        hidden = [name for name in remains.unmounted(seen) if name != first]
        if hidden:
            mount = remains.mount(hidden)
            return f"{mount}, and {first} starts by itself{or_failover}. {_permit(group, first, hidden)}"
        broken = [name for name in remains.half_way(seen) if name != first]
        if broken:
            lost = f"what {' and '.join(broken)} has was left half-way by a resynchronisation and cannot be used"
            return f"{lost}. If {first} is to go on without it: {_touch(first, seen[first])}{or_failover}"
        if rivals:
            return which_of(group, [first, *rivals])
    asked = [name for name in others if is_away(seen[name])] or others
    return f"bring up what is waited for, and it starts by itself{or_failover}. {_permit(group, first, asked)}"


def _permit(group: Group, name: str, others: list[str]) -> str:
    lost = f"If {' and '.join(others)} is lost for good, and it is certain that no newer master was there"
    return f"{lost}: {_touch(name, group.observations[name])}"


def _touch(name: str, seen: Observation) -> str:
    """Return what lets a server start once without the answers; one that waits goes on by itself."""
    unit = seen["service"]["unit"]
    start = "" if seen["service"]["waits_for"] else f" && systemctl start {unit}"
    return on(name, f"touch {places.permission(unit)}{start}")


def _is_rival(seen: Observation, first: Observation) -> bool:
    """Whether a stopped host has the same right to be the master."""
    directory = seen["data_directory"]
    same = timelines.timeline(seen) == timelines.timeline(first)
    return remains.may_start(seen) and not directory["marked_standby"] and same


def which_of(group: Group, stopped: list[str]) -> str:
    """Two were masters on the same timeline: the one that wrote last is further, as far as its data tells.

    Each start would wait for the other one, which has the same right to be the master.
    """
    ends = {name: topology.end(group.observations[name]) for name in stopped}
    told = ", ".join(f"{name} has WAL up to {ends[name]}{_was(group.observations[name])}" for name in stopped)
    furthest = max(stopped, key=lambda name: (lsn.parse(ends[name] or "0/0"), not _was(group.observations[name])))
    return (
        f"decide which one was the master last, mostly the one that is further ({told}), and let that one start, which"
        f" does not wait for the other one then: {_touch(furthest, group.observations[furthest])}"
    )


def _was(seen: Observation) -> str:
    """Say of data that a standby has left that it was one."""
    control = seen["control"]
    return ", and was a standby" if control and control["as_master"] is False else ""
