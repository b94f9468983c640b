# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a server has beyond the LSN at which its history leaves its master's: how much, of what, and since when.

Sources: PostgreSQL manual, "pg_waldump", "pg_rewind" (what it needs of the WAL).
"""

from __future__ import annotations

import os
import subprocess
import typing as t

from ...host.module import Instance
from ...host.run import Runner
from ...values import history as histories
from ...values import lsn, wal
from . import observe, wal_files

#: distinct blocks that are counted exactly; beyond it, more of them only means "a lot"
MOST_BLOCKS = 4_000_000
#: pages behind the end of a master's own WAL at which its former standby's is looked for
MOST_PAGES = 16
#: states in which no data file holds anything of beyond what the control file says (PostgreSQL's ``pg_control.h``)
ENDED = ("shut down", "shut down in recovery", "in archive recovery")


def checkpoint_before(
    instance: Instance, run: Runner, history: list[histories.Part], fork: str, size: int, timeout: int
) -> tuple[tuple[str, str] | None, list[str]]:
    """Return the last checkpoint before the fork (LSN and redo LSN), or the WAL file that is missing to find it."""
    directory, at = wal_files.directory(instance), lsn.parse(fork)
    there = set(os.listdir(directory))
    for number in range(max(0, at - 1) // size, -1, -1):
        timeline = wal.timeline_at((number + 1) * size, history)
        name = wal.segment_name(timeline, number * size, size)
        if name not in there:
            return None, [name]
        begin, end = lsn.render(number * size), lsn.render(min(at, (number + 1) * size))
        dump = wal_files.dump(instance, timeline, begin, end, size)
        if dump is None:
            return None, []
        _code, output, _errors = run([*dump[:1], "--rmgr=XLOG", *dump[1:]], timeout=timeout)
        found = [row for row in wal.checkpoints(output) if lsn.parse(row[0]) < at]
        if found:
            return found[-1], []
    return None, []


def examine(
    instance: Instance,
    run: Runner,
    history: list[histories.Part],
    fork: str,
    timeout: int,
    *,
    reached: str | None = None,
) -> dict[str, t.Any]:
    """Return where the WAL ends, what it holds beyond the fork, and whether a rewind would find what it needs.

    ``reached`` is an LSN that it has come to on the timeline that it shares with a master that was set back.
    """
    control = observe.control(instance, run) or {}
    size = int(control.get("wal_segment_bytes") or 16 << 20)
    begin = max([fork, *(part.end for part in history if part.end)], key=lsn.parse)
    standing = wal_files.Standing(begin, begin, history[-1].timeline, None)
    if reached:

        def read(at: str) -> tuple[str, str | None]:
            place = standing._replace(after=at, have=at)
            return wal_files.end_of_wal(instance, run, place, size, timeout)[1:]

        fork, end, damage = readable(read, begin, reached)
    else:
        end, damage = _end(instance, run, standing, control, size, timeout)
    found: dict[str, t.Any] = {"end_lsn": end, "damage": damage, "fork_lsn": fork}
    found.update(checkpoint_lsn=None, redo_lsn=None)
    found["wal_bytes"] = max(0, lsn.distance(end, fork) or 0)
    found.update(missing=[], transactions=0, first_commit=None, last_commit=None, relations=[], blocks=0)
    found["whole"] = not reached or lsn.parse(end) >= lsn.parse(reached)
    if not found["wal_bytes"]:
        return found
    if not reached:  # on one timeline nothing is rewound
        checkpoint, found["missing"] = checkpoint_before(instance, run, history, fork, size, timeout)
        found["checkpoint_lsn"], found["redo_lsn"] = checkpoint or (None, None)
    found["missing"] += _missing_beyond(instance, history, fork, end, size)
    tally = wal.Tally(lsn.parse(fork), MOST_BLOCKS)
    for timeline, first, last in wal.pieces(history, found["checkpoint_lsn"] or fork):
        dump = wal_files.dump(instance, timeline, first, last, size)
        found["whole"] = dump is not None and _count(dump, tally, timeout) and found["whole"]
    return {**found, **tally.result()}


def _end(
    instance: Instance, run: Runner, standing: wal_files.Standing, control: dict[str, t.Any], size: int, timeout: int
) -> tuple[str, str | None]:
    """Return where the WAL beyond the fork ends, and why it ends there when it should not."""
    begin = standing.after
    _last, end, damage = wal_files.end_of_wal(instance, run, standing, size, timeout)
    if damage and end == begin and _ended(control) < lsn.parse(begin):
        # what is there under that name is no WAL of then: the server has never got as far
        return lsn.render(_ended(control)), None
    # the checkpoint that the control file names begins there, and so the WAL goes on beyond it
    if not damage and control and lsn.parse(end) <= lsn.parse(str(control["checkpoint_lsn"])):
        damage = f"its last checkpoint is at {control['checkpoint_lsn']}"
    return end, damage


def readable(read: t.Callable[[str], tuple[str, str | None]], begin: str, reached: str) -> tuple[str, str, str | None]:
    """Return from where on and up to where WAL can be read that its master lacks, and why it cannot be.

    A set-back master sends its own WAL from the begin of a segment on, up to the middle of a page of what was there,
    and goes on sending: what can be read at first may be its own. ``read`` returns where the WAL ends that begins at an
    LSN.
    """
    at, damage, longest = begin, None, (begin, begin)
    for _attempt in range(MOST_PAGES):
        end, why = read(at)
        damage = damage or why
        if lsn.parse(end) >= lsn.parse(reached):
            return at, end, why
        longest = max(longest, (at, end), key=lambda piece: lsn.distance(piece[1], piece[0]) or 0)
        page = lsn.parse(end) // wal.PAGE_BYTES + 1
        if page * wal.PAGE_BYTES >= lsn.parse(reached):
            break
        at = lsn.render(page * wal.PAGE_BYTES)
    return *longest, damage or f"it has come to {reached}, and nothing that ends there can be read"


def _ended(control: dict[str, t.Any]) -> int:
    """Return how far a server that ended cleanly, or recovers, has got at least; of any other it cannot be said."""
    if control.get("state") not in ENDED:
        return 2**64
    return max(lsn.parse(str(control[name])) for name in ("min_recovery_lsn", "checkpoint_lsn"))


def _missing_beyond(instance: Instance, history: list[histories.Part], fork: str, end: str, size: int) -> list[str]:
    there = set(os.listdir(wal_files.directory(instance)))
    numbers = range(lsn.parse(fork) // size, (lsn.parse(end) - 1) // size + 1)
    names = [wal.segment_name(wal.timeline_at((number + 1) * size, history), number * size, size) for number in numbers]
    return [name for name in names if name not in there]


def _count(dump: list[str], tally: wal.Tally, timeout: int) -> bool:
    """Feed pg_waldump's lines to the tally as they come, bounded; return whether the time was enough."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    with subprocess.Popen(
        ["timeout", "--kill-after=5", str(timeout), *dump],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**environment, "LC_ALL": "C", "TZ": "UTC"},
        cwd="/",
        close_fds=False,
        encoding="utf-8",
        errors="surrogateescape",
    ) as running:
        for line in running.stdout or ():
            tally.add(line)
        return running.wait() != 124
