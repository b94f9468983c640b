# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files and directories that a configuration names and that have vanished since its server started. Pure.

The server has read them then, and misses nothing until it is started anew.
"""

from __future__ import annotations

import typing as t

from ..values.observation import NamedPlace, Observation
from . import startable, topology
from .refusal import AGAIN, Refusal

STARTS = "its server would not start any more when it has ended, as by a reboot"
LATER = "what relies on that fails there after the next start of its server"


class Trouble(t.NamedTuple):
    """A place that would not do."""

    setting: str
    path: str
    #: what is wrong with it
    wrong: str
    #: whether a server does not start without it
    starts: bool
    #: what mends it, without what is to be done then
    mend: str


def troubles(name: str, observations: topology.Observations) -> list[Trouble]:
    """Return what would not do on a host."""
    seen = observations[name]
    return [
        Trouble(
            row["setting"],
            row["path"],
            startable.trouble(seen, row),
            row["starts"],
            startable.mend(name, seen, _who_has(name, row, observations), row),
        )
        for row in _of(seen)
    ]


def _of(seen: Observation) -> list[NamedPlace]:
    if topology.kind(seen) == topology.UNREACHABLE:
        return []
    return seen.get("named") or []


def _who_has(name: str, row: NamedPlace, observations: topology.Observations) -> str | None:
    """Return another host with the same data that does not miss the same."""
    for other, seen in observations.items():
        there = topology.kind(seen) in (topology.MASTER, topology.STANDBY)
        if other != name and there and row["path"] not in [each["path"] for each in _of(seen)]:
            return other
    return None


def refusals(name: str, observations: topology.Observations) -> list[Refusal]:
    """Refuse what starts a server anew that would not start."""
    return [
        Refusal(
            "named-place",
            f"{row.setting} names {row.path}, which {row.wrong} on {name}",
            "its server would not start anew",
            f"{row.mend}, {AGAIN}",
        )
        for row in troubles(name, observations)
        if row.starts
    ]
