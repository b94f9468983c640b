# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A new database system: complete in its place, or not there."""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import new_system
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner
from sessions import instance_in

INITDB = """#!/bin/sh
place=$(printf '%s\\n' "$@" | sed -n 's/^--pgdata=//p')
[ -d "$place" ] && [ -z "$(ls "$place")" ] || exit 2
echo "max_connections = 100" > "$place/postgresql.conf"
echo "$@" > "$place/words"
echo 15 > "$place/PG_VERSION"
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    program = tmp_path / "initdb"
    program.write_text(INITDB)
    program.chmod(0o755)
    return tmp_path / "master"


def make(place: Path, act: bool = True) -> dict[str, t.Any]:
    instance = dataclasses.replace(instance_in(place), bin_directory=str(place.parent))
    settings = {"listen_addresses": "*", "max_connections": 50, "log_line_prefix": "it's %m"}
    return new_system.make(instance, Runner(), act, locale="C.UTF-8", settings=settings, timeout=30)


def test_it_is_made_once(place: Path) -> None:
    assert make(place, act=False)["changed"]
    assert not place.exists()
    assert make(place)["changed"]
    told = (place / "postgresql.conf").read_text().splitlines()
    assert told == [
        "port = '5432'",
        "listen_addresses = '*'",
        "max_connections = '50'",
        "log_line_prefix = 'it''s %m'",
    ]
    assert "--data-checksums" in (place / "words").read_text()
    assert make(place) == make(place, act=False) == {"changed": False, "made": str(place)}


def test_what_a_killed_run_has_left_is_cleared_away(place: Path) -> None:
    left = Path(f"{place}.hawq-initdb")
    left.mkdir()
    (left / "PG_VERSION").touch()
    place.mkdir()  # its place may be there, empty
    make(place)
    assert (place / "postgresql.conf").exists()
    assert not left.exists()


def test_a_failure_leaves_nothing_in_its_place(place: Path) -> None:
    (place.parent / "initdb").write_text("#!/bin/sh\necho no such locale >&2\nexit 1\n")
    with pytest.raises(MirroringError, match="initdb has failed: no such locale"):
        make(place)
    assert not place.exists()
