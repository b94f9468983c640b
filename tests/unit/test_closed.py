# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the server's user may not write is told; root may all, so that access() is asked for another."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import closed


def test_the_first_that_is_there_and_closed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wal, control, gone = tmp_path / "pg_wal", tmp_path / "pg_control", tmp_path / "pg_commit_ts"
    wal.mkdir()
    control.touch()
    asked: dict[str, int] = {}

    def access(path: str, mode: int) -> bool:
        asked[os.path.basename(path)] = mode
        return path != str(control)

    monkeypatch.setattr(os, "access", access)
    assert closed.first([str(gone), str(wal), str(control)]) == str(control)
    assert closed.first([str(gone), str(wal)]) is None
    # in a directory files are made, which needs more than to write it
    assert asked == {"pg_wal": os.R_OK | os.W_OK | os.X_OK, "pg_control": os.R_OK | os.W_OK}


def test_files_that_can_be_made_are_counted_where_there_is_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert closed.free_files(str(tmp_path / "gone")) is None
    for limit, left in ((1000, 7), (0, None)):
        row = os.statvfs_result((4096, 4096, 9, 9, 9, limit, 7, 7, 0, 255))
        monkeypatch.setattr(os, "statvfs", lambda path, row=row: row)
        assert closed.free_files(str(tmp_path)) == left
