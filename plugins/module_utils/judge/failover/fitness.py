# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What would keep a standby from becoming the master, found out before anybody is touched. Pure: no I/O, no clock.

Sources: PostgreSQL manual, "Continuous Archiving" (timelines), "WAL Internals" (a full disk ends the server).
"""

from __future__ import annotations

from ...values.command import again
from ...values.text import MEBIBYTE, sentence, size
from .. import disk, tablespaces, topology
from ..options import Options
from ..refusal import AGAIN, Refusal
from . import evidence

#: bytes of a WAL segment where the data does not tell
SEGMENT_BYTES = 16 * MEBIBYTE


def refusals(old: str, new: str, observations: topology.Observations, options: Options) -> list[Refusal]:
    """Return what would let the activation fail, or serve damaged data."""
    seen = observations[new]
    found = [*disk.read_only(new, seen), *disk.closed(new, seen), *_room(new, seen), *_programs(new, seen)]
    found += tablespaces.for_a_start(new, seen, *sources(old, new, observations))
    if not options["accept_data_loss"]:
        found += [*_older(old, new, observations), *_damage(old, new, observations)]
    return found


def sources(old: str, new: str, observations: topology.Observations) -> list[topology.Observation]:
    """Return the old master where its data tells what its standby may not have less of."""
    seen = observations[old]
    if topology.kind(seen) == topology.UNREACHABLE:
        return []
    same = topology.system_identifier(seen) == topology.system_identifier(observations[new])
    return [seen] if same and evidence.has_data(seen) else []


def _room(new: str, seen: topology.Observation) -> list[Refusal]:
    """A new timeline begins in a WAL file of its own."""
    free, control = seen["data_directory"]["wal_free_bytes"], seen["control"]
    segment = (control["wal_segment_bytes"] if control else None) or SEGMENT_BYTES
    if disk.full_of_files(seen):
        left = seen["data_directory"]["wal_free_files"]
        place = seen["data_directory"]["path"]
        return [
            Refusal(
                "wal-disk-too-small",
                f"the file system of the WAL on {new} takes {left} more files (df -i {place})",
                "its server would end as soon as it is the master",
                f"Delete files there that nobody needs, {AGAIN}",
            )
        ]
    if free >= segment + MEBIBYTE:
        return []
    return [
        Refusal(
            "wal-disk-too-small",
            f"{new} has {size(free)} free for WAL",
            "its server would end as soon as it is the master",
            f"Make room there ({seen['data_directory']['path']}), {AGAIN}",
        )
    ]


def _programs(new: str, seen: topology.Observation) -> list[Refusal]:
    """A standby that is stopped must be started first."""
    here = seen["binaries"]
    if topology.kind(seen) == topology.STANDBY or not here["missing"]:
        return []
    return [
        Refusal(
            "programs-missing",
            f"{here['directory']} on {new} lacks {', '.join(here['missing'])}",
            "its server is stopped and could not be started",
            f"Install them there, {AGAIN}",
        )
    ]


def _older(old: str, new: str, observations: topology.Observations) -> list[Refusal]:
    """A master whose data is on a newer timeline has committed what its standby cannot get to any more."""
    seen, taken = observations[old], observations[new]
    if topology.kind(seen) not in (topology.STOPPED, topology.FROZEN) or seen["data_directory"]["unfinished"]:
        return []
    its, mine = topology.last_timeline(seen) or 0, topology.timeline(taken) or 0
    # where no session tells, the control file may name an older timeline than it has got to
    may_be_there = not taken["server"] and str(its) in taken["histories"]
    if its <= mine or may_be_there:
        return []
    return [
        Refusal(
            "newer-timeline",
            f"{topology.being(old, seen)}, on a newer timeline ({its}) than {new} ({mine})",
            f"what was committed on it would be lost, since {new} does not have it",
            f"{evidence.start(old, seen)}, or accept the loss: {again(accept_data_loss=True)}",
        )
    ]


def _damage(old: str, new: str, observations: topology.Observations) -> list[Refusal]:
    """Damaged data is only served when the operator says that there is nothing better."""
    damage, seen = observations[new]["server_damage"], observations.get(old)
    if not damage:
        return []
    way = f" {evidence.start(old, seen)}." if seen and evidence.has_data(seen) else ""
    return [
        Refusal(
            "data-damaged",
            f"the data of {new} is damaged ({sentence(damage)})",
            "as the master it would serve that, or fail where it is read",
            f"If the data of {old} is whole, bring its server up instead.{way} If {new} is all that is left:"
            f" {again(accept_data_loss=True)}",
        )
    ]
