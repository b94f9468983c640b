# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the histories of two servers part. Pure.

Sources: PostgreSQL manual, "Timelines"; the rule of the last common ancestor is pg_rewind's.
"""

from __future__ import annotations

from ..values import history, lsn
from . import topology


def timeline(seen: topology.Observation) -> int | None:
    """Return the timeline that a host's WAL ends on."""
    return topology.last_timeline(seen)


def stretches(seen: topology.Observation) -> list[history.Stretch] | None:
    """Return a host's history, oldest first, or None when its history file is missing."""
    last = timeline(seen)
    if last is None:
        return None
    lines = seen["histories"].get(str(last), [] if last == 1 else None)
    if lines is None:
        return None
    found, begin = [], 0
    for number, end in lines:
        found.append(history.Stretch(number, begin, lsn.parse(end)))
        begin = lsn.parse(end)
    return [*found, history.Stretch(last, begin, None)]
