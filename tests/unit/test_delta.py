# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a delta compares and leaves out, how it asks, and the manifest that comes of it."""

from __future__ import annotations

import hashlib
import json
import struct
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql.delta.comparison import (
    BATCH,
    BLOCK,
    MOST,
    PIECE,
    File,
    Piece,
    blocks,
    manifest,
    pieces,
    rows_of,
    runs,
    wanted,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql.delta.copying import Copy
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql.delta.job import (
    LABEL,
    of_others,
    rate_of,
)


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("PG_VERSION", True),
        ("base/5/16384", True),
        ("base/5/16384.1", True),
        ("base/5/16384_fsm", True),
        ("base/5/pg_filenode.map", True),
        ("pg_xact/0000", True),
        ("pg_tblspc/16390/PG_15_202209061/5/16400", True),
        ("global/pg_control", False),  # comes last, by itself
        ("global/pg_internal.init", False),
        ("base/5/pg_internal.init.123", False),
        ("base/pgsql_tmp/pgsql_tmp12.0", False),
        ("base/5/t3_16384", False),
        ("base/5/t3_16384_fsm", False),
        ("pg_tblspc/16390/PG_15_202209061/5/t3_16400", False),
        ("base/5/16500", False),  # unlogged
        ("base/5/16500.2", False),
        ("base/5/16500_vm", False),
        ("base/5/16500_init", True),
        ("postgresql.conf", False),
        ("postgresql.auto.conf", False),
        ("conf.d/mine.conf", False),
        ("base/5/strange.conf", True),
        ("log/postgresql.log", False),
        ("hawq_mirroring.fence", False),
        ("standby.signal", False),
        ("postmaster.pid", False),
        ("backup_manifest", False),
        ("backup_label.old", False),
        ("postgresql.auto.conf.tmp", False),
    ],
)
def test_what_is_left_out(path: str, kept: bool) -> None:
    rows = [{"path": each, "size": 8192, "isdir": False} for each in sorted({path, "base/5/16500_init"})]
    assert (File(path, 8192) in wanted(rows)[1]) == kept


def test_directories_are_kept_without_what_each_server_makes_itself() -> None:
    rows = [{"path": path, "size": 0, "isdir": True} for path in ("base", "pg_wal", "base/pgsql_tmp", "log")]
    assert wanted(rows) == (["base", "pg_wal"], [])


def test_pieces_cover_every_byte_once_and_no_question_is_too_large() -> None:
    files = [File("a", 3 * PIECE + 5), File("none", 0), *(File(f"small/{n}", 8192) for n in range(3 * MOST))]
    batches = list(pieces(files))
    assert all(len(batch) <= MOST and sum(piece.length for piece in batch) <= BATCH for batch in batches)
    asked = [piece for batch in batches for piece in batch]
    assert [piece for piece in asked if piece.path == "none"] == [Piece("none", 0, 0)]
    for file in files:
        mine = [piece for piece in asked if piece.path == file.path]
        assert sum(piece.length for piece in mine) == file.size
        assert [piece.offset for piece in mine] == [PIECE * number for number in range(len(mine))]
    assert list(pieces([])) == []


def test_blocks_and_runs() -> None:
    piece = Piece("a", PIECE, 3 * BLOCK + 100)
    found = blocks(piece)
    assert [block.length for block in found] == [BLOCK, BLOCK, BLOCK, 100]
    assert runs(found) == [piece]
    assert runs([found[0], found[2], found[3]]) == [found[0], Piece("a", PIECE + 2 * BLOCK, BLOCK + 100)]
    ends = [Piece("a", PIECE - BLOCK, BLOCK), Piece("a", PIECE, BLOCK), Piece("b", PIECE + BLOCK, BLOCK)]
    assert runs(ends) == ends  # not over the end of a piece, not from file to file


def test_rows_of_a_binary_copy() -> None:
    values = [b"", None, b"x" * 70_000]
    binary = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 4) + b"more"
    for value in values:
        binary += struct.pack("!hi", 1, -1 if value is None else len(value)) + (value or b"")
    assert list(rows_of(binary + struct.pack("!h", -1))) == values


def test_manifest_holds_its_own_checksum() -> None:
    text = manifest([{"Path": "a", "Size": 1}], 2, "0/2000028", "0/2000100")
    assert json.loads(text)["WAL-Ranges"] == [{"Timeline": 2, "Start-LSN": "0/2000028", "End-LSN": "0/2000100"}]
    before, _quote, last = text.partition('"Manifest-Checksum"')
    assert hashlib.sha256(before.encode()).hexdigest() in last


def test_a_directory_takes_the_masters_shape(tmp_path) -> None:
    """Strangers go, what is the host's own and what lies behind a link of another version stays."""
    data, place = tmp_path / "data", tmp_path / "space"
    old = [
        "base/1/old",
        "base/9/gone",
        "pg_wal/000000010000000000000001",
        "postgresql.conf",
        "log/today",
        "global/pg_control",
    ]
    for name in [*old, "pg_tblspc/none"]:
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).touch()
    for name in ("PG_15_1/5/gone", "PG_14_1/5/other"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).touch()
    (data / "pg_tblspc" / "16390").symlink_to(place)
    (data / "pg_wal").rename(tmp_path / "wal")
    (data / "pg_wal").symlink_to(tmp_path / "wal")
    directories = [
        "base",
        "base/1",
        "base/2",
        "global",
        "pg_tblspc",
        "pg_tblspc/16390",
        "pg_tblspc/16390/PG_15_1",
        "pg_wal",
    ]

    Copy(str(data)).shape(directories, [File("base/1/new", 0)])

    def inside(top) -> set[str]:
        return {str(each.relative_to(top)) for each in top.rglob("*") if not each.is_dir()}

    assert inside(data) - {"pg_tblspc/16390", "pg_wal"} == {"postgresql.conf", "log/today", "global/pg_control"}
    assert (data / "base" / "2").is_dir()
    assert not (data / "base" / "9").exists()
    assert inside(place) == {"PG_14_1/5/other"}
    assert inside(tmp_path / "wal") == set()


class Source:
    """A master that has one file of one byte."""

    def hashes(self, asked: list[Piece], done: int | None = None) -> list[bytes | None]:
        """Hash what it has."""
        return [hashlib.sha256(b"x").digest() for _piece in asked]

    def contents(self, asked: list[Piece]) -> list[bytes | None]:
        """Give it."""
        return [b"x" for _piece in asked]


@pytest.mark.parametrize(("top", "directory", "file"), [(0o700, 0o700, 0o600), (0o750, 0o750, 0o640)])
def test_what_is_new_is_open_to_a_group_where_the_directory_is(
    tmp_path: Path, top: int, directory: int, file: int
) -> None:
    tmp_path.chmod(top)
    copy, found = Copy(str(tmp_path)), [File("base/5/1", 1)]
    copy.shape(["base", "base/5"], found)
    copy.fill(t.cast(t.Any, Source()), found, lambda _bytes: None)
    copy.put("backup_label", b"y")
    names = {"base": directory, "base/5": directory, "base/5/1": file, "backup_label": file}
    assert {name: (tmp_path / name).stat().st_mode & 0o777 for name in names} == names
    assert (tmp_path / "base/5/1").read_text() == "x"


def test_label_and_rate() -> None:
    text = "START WAL LOCATION: 0/9000028 (file 000000020000000000000009)\nSTART TIME: now\nSTART TIMELINE: 2\n"
    found = LABEL.search(text)
    assert found
    assert found.groups() == ("0/9000028", "2")
    assert [rate_of(each) for each in ("", "32M", "100k", "100")] == [None, 32 << 20, 102400, 102400]


def test_what_other_clusters_have_in_a_tablespaces_place_is_not_held_against_the_manifest(tmp_path: Path) -> None:
    place, data = tmp_path / "place", tmp_path / "data"
    for name in ("PG_15_202209061", "PG_13_202007201"):
        (place / name / "5").mkdir(parents=True)
    (data / "pg_tblspc").mkdir(parents=True)
    (data / "pg_tblspc" / "16436").symlink_to(place)
    manifest = '{"Files": [{"Path": "pg_tblspc/16436/PG_15_202209061/5/1"}]}'
    assert of_others(str(data), manifest) == ["pg_tblspc/16436/PG_13_202007201"]
    assert of_others(str(data), '{"Files": []}') == []
