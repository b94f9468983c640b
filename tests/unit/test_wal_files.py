# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the WAL of a dead master ends, from what pg_waldump says and what lies in pg_wal: an end, or a damage."""

from __future__ import annotations

import os
import struct
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import wal_files
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import Instance

SIZE = 16 << 20
NAMES = {number: f"00000001000000000000000{number}" for number in range(3, 8)}
ZEROES = "pg_waldump: error: error in WAL record at 0/4017F88: invalid record length at 0/4017FC0: wanted 24, got 0"
NO_RECORD = "pg_waldump: error: could not find a valid record after 0/4000100"
NO_PAGE = (
    "pg_waldump: error: error in WAL record at 0/400BFD8: invalid magic number 0000 in log segment X, offset 49152"
)
LINE = "rmgr: {}  len (rec/tot): 49/  {}, tx: 0, lsn: {}, prev 0/04000028, desc: {}"
SWITCH, LAST = LINE.format("XLOG", 24, "0/4F00028", "SWITCH"), LINE.format("Heap", 51, "0/4FFFF00", "INSERT off 1")
SWITCHED = "pg_waldump: error: error in WAL record at 0/4F00028: invalid record length at 0/5000000: wanted 24, got 0"


def no_file(number: int) -> str:
    return f'pg_waldump: error: could not find file "{NAMES[number]}": No such file or directory'


def page(number: int, timeline: int = 1) -> bytes:
    """The beginning of a segment that was written to."""
    return struct.pack("=HHIQ", 0xD110, 2, timeline, number * SIZE)


#: answers of pg_waldump in turn, segments with the number that their first page says (0: made ready, never written),
#: and what is found: start of the last record, end, and whether that is no end but a damage
CASES: dict[str, tuple[list[str], dict[int, int], tuple[str | None, str, bool]]] = {
    "ordinary end": ([ZEROES], {4: 4}, ("0/4017F88", "0/4017FC0", False)),
    "segments made ready": ([ZEROES], {4: 4, 5: 0, 6: 2}, ("0/4017F88", "0/4017FC0", False)),
    "written to after the end": ([ZEROES], {4: 4, 5: 5}, ("0/4017F88", "0/4017FC0", True)),
    "end not said": ([NO_PAGE], {4: 4}, ("0/400BFD8", "0/400BFD9", False)),
    "nothing after what is replayed": ([NO_RECORD], {4: 4, 5: 0}, (None, "0/4000100", False)),
    "nothing readable, but more was written": ([NO_RECORD], {4: 4, 5: 5}, (None, "0/4000100", True)),
    "switched to a segment that is not there": (["", SWITCH], {4: 4}, ("0/4F00028", "0/5000000", False)),
    "switched to a segment that was made ready": ([SWITCHED], {4: 4, 5: 0}, ("0/4F00028", "0/5000000", False)),
    "a record that would have gone on there": (["", LAST], {4: 4}, ("0/4FFFF00", "0/4FFFF38", False)),
    "a segment missing in the middle": ([no_file(5), LAST], {4: 4, 6: 6}, ("0/4FFFF00", "0/4FFFF38", True)),
    "the first segment missing": ([], {}, (None, "0/4000100", True)),
    "the first segment overwritten": ([], {4: 2}, (None, "0/4000100", True)),
    "something else": (["pg_waldump: fatal: out of memory"], {4: 4}, (None, "0/4000100", True)),
}


#: the same of a standby that has replayed up to 0/3000100 only, and holds WAL up to 0/4000100
REPLAY_BEHIND: dict[str, tuple[list[str], dict[int, int], tuple[str | None, str, bool]]] = {
    "all is there": ([ZEROES], {3: 3, 4: 4}, ("0/4017F88", "0/4017FC0", False)),
    "what it has is gone from the master (57)": ([ZEROES], {4: 4}, ("0/4017F88", "0/4017FC0", False)),
    "and more was written to after the end": ([ZEROES], {4: 4, 6: 6}, ("0/4017F88", "0/4017FC0", True)),
    "and no record begins in the next one": ([NO_RECORD], {4: 4}, (None, "0/4000000", True)),
    "and the next one, too": ([], {5: 5}, (None, "0/3000100", True)),
    "and all": ([], {}, (None, "0/3000100", True)),
}


@pytest.mark.parametrize(("answers", "segments", "expected"), CASES.values(), ids=CASES)
def test_end(
    tmp_path: Path, answers: list[str], segments: dict[int, int], expected: tuple[str | None, str, bool]
) -> None:
    assert end(tmp_path, answers, segments, "0/4000100", "0/4000100") == expected


@pytest.mark.parametrize(("answers", "segments", "expected"), REPLAY_BEHIND.values(), ids=REPLAY_BEHIND)
def test_end_where_much_is_yet_to_be_replayed(
    tmp_path: Path, answers: list[str], segments: dict[int, int], expected: tuple[str | None, str, bool]
) -> None:
    assert end(tmp_path, answers, segments, "0/3000100", "0/4000100") == expected


def test_end_where_the_standby_holds_whole_segments(tmp_path: Path) -> None:
    found = end(tmp_path, [ZEROES], {4: 4}, "0/2000100", "0/4000000")
    assert found == ("0/4017F88", "0/4017FC0", False)


def end(
    tmp_path: Path, answers: list[str], segments: dict[int, int], after: str, have: str
) -> tuple[str | None, str, bool]:
    instance = Instance("postgres", "/bin", str(tmp_path), str(tmp_path), "unit", "mdw", 5432)
    (tmp_path / "pg_wal").mkdir()
    for number, written in segments.items():
        (tmp_path / "pg_wal" / NAMES[number]).write_bytes(page(written) if written else b"\0" * 64)
    left = list(answers)

    def run(_command: list[str], **_options: t.Any) -> tuple[int, str, str]:
        answer = left.pop(0)
        return (0, answer, "") if answer.startswith("rmgr") or not answer else (1, "", answer)

    standing = wal_files.Standing(after, have, 1, None)
    last, found, broken = wal_files.end_of_wal(instance, t.cast("t.Any", run), standing, SIZE, 60)
    assert left == []
    return last, found, broken is not None


def test_a_standby_at_a_boundary_needs_no_next_segment(tmp_path: Path) -> None:
    (tmp_path / "pg_wal").mkdir()
    (tmp_path / "pg_wal" / NAMES[4]).write_bytes(page(4))
    instance = Instance("postgres", "/bin", str(tmp_path), str(tmp_path), "unit", "mdw", 5432)
    standing = wal_files.Standing("0/5000000", "0/5000000", 1, None)
    for ready in (None, b"\0" * 64):
        if ready:
            (tmp_path / "pg_wal" / NAMES[5]).write_bytes(ready)
        assert wal_files.end_of_wal(instance, t.cast("t.Any", None), standing, SIZE, 60) == (None, "0/5000000", None)


def test_a_segment_in_which_a_timeline_begins_is_written_to(tmp_path: Path) -> None:
    """It begins with the pages of the timeline before; one that was made ready has another's address."""
    for name, beginning, expected in (
        ("000000020000000000000004", page(4, 1), True),
        ("000000020000000000000004", page(4, 2), True),
        ("000000020000000000000004", page(4, 3), False),
        ("000000020000000000000004", page(3, 2), False),
        ("000000020000000000000004", b"", False),
    ):
        (tmp_path / name).write_bytes(beginning)
        assert wal_files.written(str(tmp_path), name, SIZE) is expected


def test_reading_is_bounded(tmp_path: Path) -> None:
    instance = Instance("postgres", "/bin", str(tmp_path), str(tmp_path), "unit", "mdw", 5432)
    (tmp_path / "pg_wal").mkdir()
    (tmp_path / "pg_wal" / NAMES[5]).write_bytes(page(5))
    standing = wal_files.Standing("0/5000000", "0/5000000", 1, None)
    with pytest.raises(MirroringError, match="took more than 60 s"):
        wal_files.end_of_wal(instance, t.cast("t.Any", lambda *_, **__: (124, "", "")), standing, SIZE, 60)


#: segments with the number that their first page says, and when each was written to: seconds ago
AGES: dict[str, tuple[dict[int, tuple[int, int]], float | None]] = {
    "the newest": ({4: (4, 900), 5: (5, 60)}, 60.0),
    "made ready later, and never written to": ({4: (4, 900), 5: (0, 5)}, 900.0),
    "an old one under a later name": ({4: (4, 900), 5: (3, 5)}, 900.0),
    "none": ({}, None),
    "none that was written to": ({4: (0, 5)}, None),
}


def at(place: Path) -> Instance:
    return Instance("postgres", "/bin", str(place), str(place), "unit", "mdw", 5432)


@pytest.mark.parametrize(("there", "age"), AGES.values(), ids=AGES)
def test_when_wal_was_last_written(tmp_path: Path, there: dict[int, tuple[int, int]], age: float | None) -> None:
    place = tmp_path / "data"
    (place / "pg_wal").mkdir(parents=True)
    (place / "pg_wal/00000002.history").write_text("")
    for number, (says, ago) in there.items():
        segment = place / "pg_wal" / NAMES[number]
        segment.write_bytes(page(says) if says else b"")
        os.utime(segment, (time.time() - ago,) * 2)
    found = wal_files.age(at(place), SIZE)
    assert found == (None if age is None else pytest.approx(age, abs=5))
    assert wal_files.age(at(place), None) is None
    assert wal_files.age(at(tmp_path), SIZE) is None
