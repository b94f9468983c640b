# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a rewind could make a host a standby now. Pure: no I/O, no clock."""

from __future__ import annotations

import typing as t

from ...values import conninfo
from ...values.observation import Server, Slot
from ...values.text import duration
from .. import rewinding, topology


def rewind(name: str, seen: topology.Observation, source: topology.Observation | None) -> dict[str, t.Any]:
    """Whether a rewind could make this host a standby now, and why not."""
    answer = {"host": name, "needed": False, "possible": False, "reason": "", "wal_lasts_seconds": None}
    what = topology.kind(seen)
    if source is None:
        return {**answer, "reason": "there is no master to rewind to"}
    if what == topology.UNREACHABLE:
        return {**answer, "reason": "the host is not reachable"}
    never = rewinding.why_not(seen, source)
    if never:
        return {**answer, "reason": never}
    if what in topology.STANDBYS and topology.timeline(seen) == topology.timeline(source):
        return {**answer, "possible": True, "reason": "it is on the master's timeline"}
    if what in (topology.STANDBY, topology.SILENT, topology.FROZEN, topology.MASTER):
        return {**answer, "needed": True, "reason": "its server must be stopped first"}
    row = topology.slot_of(source, conninfo.slot_name(name))
    if row is None or row["lost"]:
        return {**answer, "needed": True, "reason": "the master keeps no WAL for it"}
    lasts = _lasts(source["server"], row)
    how_long = f", for some {duration(lasts)} at the present rate of WAL" if lasts is not None else ""
    reason = f"the master keeps the WAL that it needs{how_long}"
    return {**answer, "needed": True, "possible": True, "reason": reason, "wal_lasts_seconds": lasts}


def _lasts(server: Server, slot: Slot) -> float | None:
    """Return for how many seconds a slot will keep its WAL, if as much is written as since the last checkpoint."""
    written, seconds = server["wal_since_checkpoint"], server["checkpoint_age_seconds"]
    if slot["safe_bytes"] is None or not written or not seconds or seconds <= 0:
        return None
    return round(max(0, slot["safe_bytes"]) / (written / seconds), 1)
