# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Up to where a standby that gives no session holds WAL: which files are read, from where, and what is made of it."""

from __future__ import annotations

import struct
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import wal_held
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import Instance
from observations import control

SIZE = 16 << 20
ZEROES = "pg_waldump: error: error in WAL record at 0/{}: invalid record length at 0/{}: wanted 24, got 0"
NO_PAGE = (
    "pg_waldump: error: error in WAL record at 0/600BFD8: invalid magic number 0000 in log segment X, offset 49152"
)
NO_RECORD = "pg_waldump: error: could not find a valid record after 0/6000100"
LAST = "rmgr: Heap  len (rec/tot): 49/  51, tx: 0, lsn: 0/0600BFD8, prev 0/04000028, desc: INSERT off 1"


def name(number: int, timeline: int = 1) -> str:
    return f"{timeline:08X}00000000{number:08X}"


def wal_files(place: Path, files: dict[str, int]) -> Instance:
    """Files with the number that their first page says; 0: made ready, never written."""
    (place / "pg_wal").mkdir()
    for each, number in files.items():
        page = struct.pack("=HHIQ", 0xD110, 2, int(each[:8], 16), number * SIZE)
        (place / "pg_wal" / each).write_bytes(page if number else b"\0" * 64)
    return Instance("postgres", "/bin", str(place), str(place), "unit", "mdw", 5432)


ONE = {name(4): 4, name(5): 5, name(6): 6, name(7): 0, name(8): 3}
FORKED = {**ONE, name(6, 2): 6, name(7, 2): 7}
#: files, history files, the timeline of the control file, where it begins; the files that count
HELD: dict[str, tuple[dict[str, int], dict[str, list[list[t.Any]]], int, str, list[str]]] = {
    "all that was written": (ONE, {}, 1, "0/4000100", [name(4), name(5), name(6)]),
    "from where it has come": (ONE, {}, 1, "0/6000100", [name(6)]),
    "a gap": ({name(4): 4, name(6): 6}, {}, 1, "0/4000100", [name(4)]),
    "not there yet": (ONE, {}, 1, "0/7000000", []),
    "a new timeline": (FORKED, {"2": [[1, "0/6800000"]]}, 1, "0/4000100", [name(4), name(5), name(6, 2), name(7, 2)]),
    "a new timeline that it has nothing of yet": (
        ONE,
        {"2": [[1, "0/6800000"]]},
        1,
        "0/4000100",
        [name(4), name(5), name(6)],
    ),
    "already on the new one": (FORKED, {"2": [[1, "0/6800000"]]}, 2, "0/6900000", [name(6, 2), name(7, 2)]),
    "a timeline that is not its own": (FORKED, {"2": [[3, "0/6800000"]]}, 1, "0/6000100", [name(6)]),
}


@pytest.mark.parametrize(("files", "histories", "known", "begin", "held"), HELD.values(), ids=HELD)
def test_files(
    tmp_path: Path,
    files: dict[str, int],
    histories: dict[str, list[list[t.Any]]],
    known: int,
    begin: str,
    held: list[str],
) -> None:
    wal_files(tmp_path, files)
    assert wal_held.held(str(tmp_path / "pg_wal"), wal_held.chains(histories, known), begin, SIZE) == held


#: redo and recovery point, answers of pg_waldump in turn; the end, and from where it was read
ENDS: dict[str, tuple[str, str, list[str], str | None, list[str]]] = {
    "the last file but one": (
        "0/4000100",
        "0/4000200",
        [ZEROES.format("6017F88", "6017FC0")],
        "0/6017FC0",
        ["0/5000000"],
    ),
    "where it must have come to": (
        "0/4000100",
        "0/6000100",
        [ZEROES.format("6017F88", "6017FC0")],
        "0/6017FC0",
        ["0/6000100"],
    ),
    "end not said": ("0/4000100", "0/6000100", [NO_PAGE, LAST], "0/600C028", ["0/6000100", "0/600BFD8"]),
    "nothing new": ("0/4000100", "0/6000100", [NO_RECORD], "0/6000100", ["0/6000100"]),
    "no file": ("0/4000100", "0/7000000", [], "0/7000000", []),
    "too much to read": ("0/4000100", "0/6000100", ["124"], None, ["0/6000100"]),
}


@pytest.mark.parametrize(("redo", "recovery", "answers", "end", "begins"), ENDS.values(), ids=ENDS)
def test_end(tmp_path: Path, redo: str, recovery: str, answers: list[str], end: str | None, begins: list[str]) -> None:
    instance, left, read = wal_files(tmp_path, ONE), list(answers), []

    def run(command: list[str], **_options: t.Any) -> tuple[int, str, str]:
        read.extend(word.removeprefix("--start=") for word in command if word.startswith("--start="))
        answer = left.pop(0)
        return (124, "", "") if answer == "124" else (0, answer, "") if answer == LAST else (1, "", answer)

    told = control("in archive recovery", redo_lsn=redo, min_recovery_lsn=recovery, min_recovery_timeline=1)
    assert wal_held.end(instance, t.cast("t.Any", run), t.cast("t.Any", told), {}) == end
    assert read == begins
    assert left == []


def test_what_cannot_be_read_is_not_told(tmp_path: Path) -> None:
    instance = Instance("postgres", "/bin", str(tmp_path), str(tmp_path), "unit", "mdw", 5432)
    told = control("in archive recovery")
    assert wal_held.end(instance, t.cast("t.Any", None), t.cast("t.Any", told), {}) is None
    told = control("in archive recovery", wal_segment_bytes=None)
    assert wal_held.end(instance, t.cast("t.Any", None), t.cast("t.Any", told), {}) is None
