# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What segments remember of the old master, and which of them to believe. Pure: no I/O, no clock.

A memory never lets a standby take over: it can only speak against that. Whoever has taken over a segment's host can
therefore delay a failover by a lie, until the operator has read who says what and lets that witness be ignored.
"""

from __future__ import annotations

import datetime
import typing as t

from ...values import lsn
from ...values.command import playbook
from ...values.observation import Witness
from .. import topology
from ..options import Options


class Memory(Witness):
    """What a segment remembers, and which it is."""

    name: str


def _is_of(system: str | None, memory: Witness) -> bool:
    """Whether a memory is of this system, as far as that is known.

    Version 1.0 of a segment's program did not write the system down. Its memory is believed: a wrong one delays, and
    one that was passed over might have told of a loss.
    """
    return system is None or memory["system_identifier"] in (None, system)


def believed(witnesses: topology.Observations, system: str | None, ignored: list[str]) -> topology.Observations:
    """Return the segments, each with its memory only where that is to be believed. What each sees now stays."""
    return {
        name: seen
        if name not in ignored and seen["witness"] and _is_of(system, seen["witness"])
        else t.cast(topology.Observation, {**seen, "witness": None})
        for name, seen in witnesses.items()
    }


def notes(witnesses: topology.Observations, system: str | None, ignored: list[str]) -> list[str]:
    """Return whose memory is not believed, and why, as people read it."""
    found = [f"ignored witness: {name}" for name in ignored]
    for name, seen in witnesses.items():
        memory = seen["witness"]
        if name in ignored:
            continue
        if seen["witness_damage"]:
            found.append(f"what {name} remembers is damaged and not believed: {seen['witness_damage']}")
        elif memory and not _is_of(system, memory):
            found.append(f"what {name} remembers is of another system ({memory['system_identifier']}) and not believed")
    return found


def registered(witnesses: topology.Observations, system: str | None) -> list[str]:
    """Return the segments that have ever registered with a master of this system."""
    return [
        name
        for name, seen in witnesses.items()
        if seen["witness_damage"] or (seen["witness"] and _is_of(system, seen["witness"]))
    ]


def place(memory: Witness) -> tuple[int, int]:
    """Return how far the master was: its timeline, then its LSN. The segments' clocks say nothing of that."""
    return memory["timeline"] or 0, lsn.parse(memory["lsn"] or "0/0")


def of(old: str, witnesses: topology.Observations, timeline: int | None = None) -> list[Memory]:
    """Return the memories of the old master.

    With a timeline only those count that are not older: what they tell of was given up when that one began.
    """
    return [
        {**seen["witness"], "name": name}
        for name, seen in witnesses.items()
        if seen["witness"]
        and seen["witness"]["master"] == old
        and (seen["witness"]["timeline"] or timeline or 0) >= (timeline or 0)
    ]


def furthest(old: str, witnesses: topology.Observations, timeline: int | None = None) -> Memory | None:
    """Return the memory of the old master that is the furthest; of two that are equal the one that saw no standby."""
    return max(of(old, witnesses, timeline), key=lambda row: (place(row), is_stale(row)), default=None)


def is_stale(memory: Witness) -> bool:
    """Whether the master had no standby in step when the segment last heard of it."""
    return memory["summary_state"] in (topology.NOT_SYNCHRONIZED, topology.NOT_CONFIGURED)


def is_outlived(memory: Witness, held: str | None, timeline: int | None) -> bool:
    """Whether a standby has streamed from its master after the segment heard of that one.

    A master sends what it has written: a standby that holds more than it had written then has been connected since, and
    has all of it. What came after that is for others to tell. An equal LSN proves nothing.
    """
    newer = timeline is not None and (memory["timeline"] or 0) > timeline
    return not newer and (lsn.distance(held, memory["lsn"] or "0/0") or 0) > 0


def when(memory: Witness) -> str:
    """Return the moment at which the segment heard of it, by its own clock."""
    return datetime.datetime.fromtimestamp(memory["at"], datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")


def says(memory: Memory) -> str:
    """Return what a witness says, and since when."""
    return (
        f"{memory['name']} remembers {memory['master']} at LSN {memory['lsn']} on timeline {memory['timeline']},"
        f" {memory['summary_state']}, since {when(memory)}"
    )


def ignoring(names: list[str], options: Options) -> str:
    """Return for each of these witnesses the command that goes on without what it remembers."""
    before = options.get("ignore_witness") or []
    words = {name: options.get(name) or None for name in ("standby_host", "master_is_down", "accept_data_loss")}
    return ". ".join(
        f"If {name} cannot be right: {playbook('failover', **words, ignore_witness=','.join([*before, name]))}"
        for name in names
    )
