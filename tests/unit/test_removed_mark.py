# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The mark that says that data was deleted on purpose."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import files, removed_mark, separation
from ansible_collections.hawq.mirroring.plugins.module_utils.values import places

DATA = "/data/hawq/master"
UNIT = "db.service"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []
    monkeypatch.setattr(separation, "ask", asked.append)
    return asked


@pytest.mark.parametrize(
    ("text", "is_set"),
    [
        (None, False),
        ("", False),
        ("[]", False),
        ("{}", False),
        ("{", False),
        ("[" * 100000, False),
        ('{"data_directory": "/data/another"}', False),
        (f'{{"data_directory": "{DATA}"}}', True),
    ],
)
def test_root_is_asked_only_where_that_changes_something(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, text: str | None, is_set: bool
) -> None:
    monkeypatch.setattr(files, "public", {places.removed(UNIT): text}.get)
    assert removed_mark.is_set(f"{DATA}/", UNIT) is is_set
    removed_mark.put(DATA, UNIT)
    removed_mark.lift(DATA, UNIT)
    assert asked == (["unmark_removed"] if is_set else ["mark_removed"])


def test_only_roots_own_file_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = tmp_path / "removed.json"
    mark.write_text(f'{{"data_directory": "{DATA}"}}')
    monkeypatch.setattr(places, "removed", lambda _unit: str(mark))
    mark.chmod(0o666)
    assert not removed_mark.is_set(DATA, UNIT)
    mark.chmod(0o644)
    assert removed_mark.is_set(DATA, UNIT) is (os.geteuid() == 0)
