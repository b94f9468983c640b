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
