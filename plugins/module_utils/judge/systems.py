# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Several database systems in one group: they are told apart by their identifiers, and none is in the way. Pure.

Nobody is ever told to stop one of them: what is wrong is the inventory.
"""

from __future__ import annotations

import re
import typing as t

from ..values import clusters
from ..values.command import again, group
from . import topology


def by_identifier(observations: topology.Observations) -> dict[str, list[str]]:
    """Return the hosts of each system, running or not; a host that nobody can look at belongs to none."""
    found: dict[str, list[str]] = {}
    for name, seen in observations.items():
        known = None if topology.kind(seen) == topology.UNREACHABLE else topology.system_identifier(seen)
        if known:
            found.setdefault(known, []).append(name)
    return found


def several(observations: topology.Observations) -> bool:
    """Whether more than one system has a master that accepts writes."""
    return len({topology.system_identifier(observations[name]) for name in topology.masters(observations)}) > 1


def words(observations: topology.Observations) -> str:
    """Return which systems there are, each with its identifier and its hosts."""
    parts = [
        f"system {identifier}: {', '.join(_host(name, observations[name]) for name in names)}"
        for identifier, names in by_identifier(observations).items()
    ]
    rest = [name for name, seen in observations.items() if name not in _known(observations)]
    others = [f"of neither, as far as can be seen: {', '.join(rest)}"] if rest else []
    return "; ".join([*parts, *others])


def _known(observations: topology.Observations) -> set[str]:
    return {name for names in by_identifier(observations).values() for name in names}


def _host(name: str, seen: topology.Observation) -> str:
    return f"{name} ({topology.describe(seen)})"


def way(observations: topology.Observations) -> str:
    """Return how the inventory tells them apart: a group for each, by whose name a cluster is chosen."""
    names = list(_names(observations))
    groups = [
        f"{clusters.group(clusters.MASTERS, name)} with {', '.join(hosts)}"
        for name, hosts in zip(names, by_identifier(observations).values())
    ]
    choice = " or ".join(again(cluster=name) for name in names)
    return (
        f"Nothing needs to be stopped. Put each system into a group of its own in the inventory, instead of the group"
        f" {group(clusters.MASTERS)}: {' and '.join(groups)} (any names that end in _masters will do). Then say which"
        f" one is meant: {choice}"
    )


def _names(observations: topology.Observations) -> t.Iterator[str]:
    """Yield a name for each system: that of its master."""
    for names in by_identifier(observations).values():
        first = next((name for name in names if topology.kind(observations[name]) == topology.MASTER), names[0])
        yield "_".join(re.findall(r"[A-Za-z0-9]+", first.split(".")[0]))
