# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What may be deleted of a removed standby: a marked and stopped copy of the system, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import discarding, observe, stopping
from ansible_collections.hawq.mirroring.plugins.module_utils.host import removed_mark
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.values import places
from observations import FOREIGN, OWN

CONTROL = {"system_identifier": OWN, "catalog_version": 202209061}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A marked copy with a tablespace, and the instance that it belongs to."""
    place, space = tmp_path / "master", tmp_path / "space"
    for folder in (
        place / "pg_tblspc",
        space / "PG_15_202209061" / "5",
        space / "PG_13_202007201" / "5",
        space / "PG_15_202209099",
        space / "others",
    ):
        folder.mkdir(parents=True)
    (place / "PG_VERSION").write_text("15\n")
    (place / places.RECORD).write_text(json.dumps({"was": "standby"}))
    (place / "pg_tblspc" / "16384").symlink_to(space)
    monkeypatch.setattr(observe, "control", lambda _instance, _run: CONTROL)
    marked: list[tuple[str, bool]] = []
    monkeypatch.setattr(removed_mark, "put", lambda path, _unit: marked.append((path, place.exists())))
    return SimpleNamespace(data_directory=str(place), service="db.service", place=place, space=space, marked=marked)


def discard(data: t.Any, act: bool = True, system: str = OWN) -> dict[str, t.Any]:
    return discarding.discard(data, t.cast("t.Any", None), act, system_identifier=system)


def test_discard_takes_the_copy_and_its_tablespaces(data: t.Any) -> None:
    shown = discard(data, act=False)
    assert shown["changed"]
    assert data.place.exists()
    assert data.marked == []
    done = discard(data)
    assert done["deleted"] == shown["deleted"] == [str(data.space / "PG_15_202209061"), str(data.place)]
    assert sorted(os.listdir(data.place.parent)) == ["space"]
    # those of another version are another cluster's (81)
    assert sorted(os.listdir(data.space)) == ["PG_13_202007201", "PG_15_202209099", "others"]
    assert data.marked == [(str(data.place), False)]
    assert not discard(data)["changed"]
    assert len(data.marked) == 1  # without data, nothing says that it was this collection that has deleted it


def test_discard_ends_what_a_killed_run_began(data: t.Any) -> None:
    data.place.rename(f"{data.place}.hawq-discarded")
    assert discard(data)["changed"]
    assert sorted(os.listdir(data.place.parent)) == ["space"]
    assert data.marked == [(str(data.place), False)]


def test_discard_refuses(data: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MirroringError, match="is not a copy of system"):
        discard(data, system=FOREIGN)
    with monkeypatch.context() as running:
        running.setattr(stopping, "workers", lambda place: [4711])
        with pytest.raises(MirroringError, match="a server runs in"):
            discard(data)
    (data.place / "second").mkdir()
    (data.place / "second/PG_VERSION").write_text("15\n")
    with pytest.raises(MirroringError, match="is another cluster's data"):
        discard(data)
    shutil.rmtree(data.place / "second")
    (data.place / places.RECORD).unlink()
    with pytest.raises(MirroringError, match="is not marked as removed"):
        discard(data)
    data.place.rename(data.place.parent / "elsewhere")
    data.place.symlink_to("elsewhere")
    with pytest.raises(MirroringError, match="a mount point or a link"):
        discard(data)
    assert (data.place / "PG_VERSION").exists()
