# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is promised, checked after each step. The safety rules (S1 to S11) stand in ARCHITECTURE.md.

A human's word may be wrong, and then what follows is nobody's fault: the schedule notes that in ``World.wrong``.
"""

from __future__ import annotations

import typing as t

from .failure import PromiseBroken
from .wal import bits
from .world import CONTROLLER, Data, Host, World

if t.TYPE_CHECKING:
    from .run import Run


#: seconds for which a standby's word is believed
STALE = 60
#: seconds between two words of a segment with its master, and what a lost one costs
INTERVAL = 15


def one_writer(world: World) -> None:
    """S2: at most one host acknowledges commits."""
    writers = world.writers()
    if len(writers) > 1 and not world.wrong:
        raise PromiseBroken("two masters", f"{' and '.join(writers)} both acknowledge commits")


def acknowledged(world: World) -> int:
    """Return the rows that clients were promised, as bits."""
    return (1 << len(world.rows)) - 1


def readable(world: World) -> int:
    """Return the rows that can still be read somewhere: in a data directory, mounted or not, or aside."""
    found = 0
    for host in world.hosts.values():
        found |= host.kept
        for data in (host.data, host.hidden):
            found |= data.end.rows if data else 0
        if host.snapshot and host.snapshot.copy:
            found |= host.snapshot.copy.end.rows
    return found


def nothing_destroyed(world: World) -> None:
    """S7: no committed transaction is lost while a copy of it can be read; what is given up was named before."""
    gone = acknowledged(world) & ~readable(world) & ~world.accepted
    if gone:
        raise PromiseBroken("rows destroyed", f"rows {bits(gone)} are nowhere any more, and nobody has given them up")


def activated(run: Run, host: Host) -> None:
    """What the new master lacks when it is activated must have been given up, or nobody could know of it.

    Rows that were committed while the standby was connected may be on their way (replication is asynchronous, and the
    report says that it does not know). Of rows from after that it is known that they are missing, when the standby has
    heard nothing for longer than its word is believed (``stale_seconds``).
    """
    world, data = run.world, host.data
    lacks = acknowledged(world) & ~(data.end.rows if data else 0) & ~world.told & ~world.accepted
    if run.options.get("accept_data_loss"):
        world.accepted |= lacks
        return
    # what a segment heard of a standby in step is believed until it would have heard again
    in_step = max((each.at + INTERVAL for each in world.memories.values() if each.state == "Synchronized"), default=0)
    late = [row for row in bits(lacks) if not world.rows[row].connected and world.rows[row].at > in_step]
    known = [row for row in late if run.looked - world.rows[row].at > STALE]
    if known and not world.wrong:
        old = world.hosts.get(run.plan.get("old") or "")
        there = old and old.data and world.reaches(CONTROLLER, old.name) and old.data.end.rows & lacks
        raise PromiseBroken(
            "activated without what was committed" + (" and can be read" if there else ""),
            f"{host.name} was activated by {run.first} without accept_data_loss, and lacks rows {known}, which were"
            " committed while it was not connected",
        )
    world.told |= lacks


def taken_back(run: Run, host: Host, master: Data) -> None:
    """No way of a resynchronisation takes back what is newer than the master, without a named variable.

    Newer is a newer timeline, or more of the same one ("Timelines"). What was left half-way a run before this one has
    given up; that it is kept aside ``nothing_destroyed`` sees.
    """
    data, world = host.data, run.world
    if (
        data is None
        or data.unfinished
        or run.options.get("accept_data_loss")
        or run.options.get("existing_data") in ("keep", "discard")
    ):
        return
    own = data.end.rows & ~master.end.rows & acknowledged(world) & ~world.accepted
    same = data.end.timeline == master.end.timeline
    if own and (data.end.timeline > master.end.timeline or same):
        what = "more of the same timeline" if same else "a newer timeline"
        raise PromiseBroken(
            f"{what} is given up",
            f"{host.name} has {what} than its master, rows {bits(own)}, and {run.first} takes it back",
        )


def kept(run: Run, host: Host) -> None:
    """Old data is moved aside as a whole: the operator has named that, or the bill of a resynchronisation tells it."""
    if host.data:
        host.kept |= host.data.end.rows
        run.world.told |= host.data.end.rows


def discarded(run: Run, host: Host) -> None:
    """Old data is deleted: only when the operator has said so."""
    if run.options.get("existing_data") == "discard" and host.data:
        run.world.accepted |= host.data.end.rows


def bill(run: Run) -> None:
    """A bill tells what only the standby's host has; that may be taken out then."""
    found, host = run.plan.get("divergence"), run.world.hosts[run.plan["standby"]]
    if found and found["wal_bytes"] and host.data:
        run.world.told |= host.data.end.rows


def nothing_left_behind(world: World, master: str) -> None:
    """At the end the master has every row, but those of whose loss somebody was told."""
    data = world.hosts[master].data
    lacks = acknowledged(world) & ~(data.end.rows if data else 0) & ~world.told & ~world.accepted
    for host in world.hosts.values():  # what is on a host that is off, or not mounted, nobody can tell yet
        lacks &= ~(host.data.end.rows if host.data and not world.reaches(CONTROLLER, host.name) else 0)
        lacks &= ~(host.hidden.end.rows if host.hidden else 0)
    if lacks:
        raise PromiseBroken(
            "rows left behind",
            f"{master} is the master, and rows {bits(lacks)} are not on it, of which nobody was told",
        )
