# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Segments, the end of the WAL, histories."""

from __future__ import annotations

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.values import wal

MEGABYTES_16 = 16 << 20
ERROR = "pg_waldump: error: error in WAL record at "
ENDS = {
    "zeroes after the last record": (
        f"{ERROR}0/3017F88: invalid record length at 0/3017FC0: wanted 24, got 0",
        ("0/3017F88", "0/3017FC0"),
    ),
    "as PostgreSQL 18 says it": (
        f"{ERROR}0/3017F88: invalid record length at 0/3017FC0: expected at least 24, got 0",
        ("0/3017F88", "0/3017FC0"),
    ),
    "torn record": (
        f"{ERROR}0/3017F88: incorrect resource manager data checksum in record at 0/3018000",
        ("0/3017F88", "0/3018000"),
    ),
    "old page of a recycled segment": (
        f"{ERROR}1/FFFF88: unexpected pageaddr 0/9000000 in WAL segment 000000010000000100000001,"
        " LSN 1/1000000, offset 0",
        ("1/FFFF88", None),
    ),
    "zeroes where a page should begin": (
        f"{ERROR}0/400BFD8: invalid magic number 0000 in WAL segment 000000010000000000000004, offset 49152",
        ("0/400BFD8", None),
    ),
    "nothing after": ("pg_waldump: error: could not find a valid record after 0/3017FC0", None),
    "no such segment": ('pg_waldump: error: could not find file "000000010000000000000003": No such file', None),
}


@pytest.mark.parametrize(("errors", "end"), ENDS.values(), ids=ENDS)
def test_end_of_wal(errors: str, end: tuple[str, str] | None) -> None:
    assert wal.end_of(errors) == end


@pytest.mark.parametrize(
    ("timeline", "position", "size", "name"),
    [
        (1, 0x3017F88, MEGABYTES_16, "000000010000000000000003"),
        (2, 0x1FF000000, MEGABYTES_16, "0000000200000001000000FF"),
        (2, 0x200000000, MEGABYTES_16, "000000020000000200000000"),
        (10, 0x3017F88, 1 << 20, "0000000A0000000000000030"),
    ],
)
def test_segment_name(timeline: int, position: int, size: int, name: str) -> None:
    assert wal.segment_name(timeline, position, size) == name


def test_segments_between_two_positions() -> None:
    names = ["000000010000000000000003", "000000010000000000000005", "000000020000000000000004", "archive_status"]
    there, missing = wal.segments(names, 1, "0/3017F88", "0/5000100", MEGABYTES_16)
    assert there == ["000000010000000000000003", "000000010000000000000005"]
    assert missing == ["000000010000000000000004"]


def test_a_segment_that_is_not_there() -> None:
    errors = 'pg_waldump: error: could not find file "0000000100000001000000FF": No such file or directory'
    assert wal.missing_segment(errors, MEGABYTES_16) == ("0000000100000001000000FF", "1/FF000000")
    assert wal.missing_segment(ERROR, MEGABYTES_16) is None
    names = ["0000000100000001000000FE", "000000010000000200000000", "000000020000000300000000", "backup.history"]
    assert wal.later(names, "0000000100000001000000FF") == ["000000010000000200000000"]


DUMP = """\
rmgr: XLOG        len (rec/tot):    114/   114, tx:          0, lsn: 0/03000060, prev 0/03000028, desc: CHECKPOINT_ONLINE redo 0/3000028; tli 1; prev tli 1; fpw true; xid 0:735
rmgr: Heap        len (rec/tot):     54/   150, tx:        735, lsn: 0/03000100, prev 0/03000060, desc: INSERT off 1 flags 0x00, blkref #0: rel 1663/5/16384 blk 0 FPW
rmgr: Transaction len (rec/tot):     34/    34, tx:        735, lsn: 0/03000200, prev 0/03000100, desc: COMMIT 2026-11-25 10:00:00.123456 UTC
rmgr: Heap        len (rec/tot):     54/   150, tx:        736, lsn: 0/03017F88, prev 0/03000200, desc: HOT_UPDATE off: 1, xmax: 736, blkref #0: rel 1663/5/16390 blk 7, blkref #1: rel 1663/5/16390 fork vm blk 0
rmgr: Heap2       len (rec/tot):     54/   150, tx:          0, lsn: 0/03018000, prev 0/03017F88, desc: PRUNE snapshotConflictHorizon: 5, blkref #0: rel 1663/5/1259 blk 7
rmgr: Transaction len (rec/tot):     34/    34, tx:        736, lsn: 0/03018100, prev 0/03018000, desc: COMMIT 2026-11-25 10:00:01.5 UTC; inval msgs: catcache 80
rmgr: Transaction len (rec/tot):     34/    34, tx:        737, lsn: 0/03018200, prev 0/03018100, desc: ABORT 2026-11-25 10:00:02 UTC
"""  # noqa: E501


def test_tally_counts_what_lies_beyond_the_fork() -> None:
    tally = wal.Tally(0x3017F88, 100)
    for line in DUMP.splitlines():
        tally.add(line)
    assert tally.result() == {
        "transactions": 1,
        "first_commit": "2026-11-25 10:00:01.5",
        "last_commit": "2026-11-25 10:00:01.5",
        "relations": ["1663/5/16390"],
        "blocks": 4,
    }
    assert wal.checkpoints(DUMP) == [("0/03000060", "0/3000028")]


def test_segments_are_looked_for_under_the_timeline_that_holds_them() -> None:
    history = [(1, "0/3017F88"), (2, None)]
    assert [wal.timeline_at(end << 24, history) for end in (3, 4, 5)] == [1, 2, 2]
    assert wal.pieces(history, "0/3000000") == [(1, "0/3000000", "0/3017F88"), (2, "0/3017F88", None)]
    assert wal.pieces(history, "0/4000000") == [(2, "0/4000000", None)]
    assert wal.begin_of("0000000A000000FF", 16 << 20) == "A/FF000000"
