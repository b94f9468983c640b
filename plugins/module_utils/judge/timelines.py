# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the histories of two servers part. Pure.

Sources: PostgreSQL manual, "Timelines"; the rule of the last common ancestor is pg_rewind's.
"""

from __future__ import annotations

from ..values import history, lsn
from . import topology


def timeline(seen: topology.Observation) -> int | None:
    """Return the timeline that a host's WAL ends on.

    Just after a promotion only the history file tells of the new one. A standby gets that file before it gets there, so
    of a standby the server or the control file is asked alone.
    """
    known = topology.timeline(seen)
    if known is None or topology.kind(seen) in (topology.MASTER, topology.STANDBY, topology.STOPPED_STANDBY):
        return known
    newer = [int(name) for name, lines in seen["histories"].items() if known in [line[0] for line in lines]]
    return max([known, *newer])


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
