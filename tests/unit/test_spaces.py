# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The places of tablespaces on a host: which there are, which are to come, and what is wrong with a place."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import deployment, spaces
from ansible_collections.hawq.mirroring.plugins.module_utils.host import account, directories, mounts, user_places
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import Instance
from observations import VERSION, control
from test_wal_held import name, wal_files

#: what pg_waldump prints of a tablespace that is made, and of one that is dropped
DUMP = """\
rmgr: Tablespace  len (rec/tot): 41/  41, tx: 743, lsn: 0/0401A9C8, prev 0/0401A990, desc: CREATE 16385 "{}"
rmgr: Tablespace  len (rec/tot): 30/  30, tx:        745, lsn: 0/0401B000, prev 0/0401A9C8, desc: DROP 16384
pg_waldump: error: error in WAL record at 0/6017F88: invalid record length at 0/6017FC0: wanted 24, got 0
"""


def rows(instance: Instance, output: str, stopped: bool = True, **overrides: t.Any) -> list[t.Any]:
    told = control("in archive recovery", redo_lsn="0/4000100", **overrides)

    def run(command: list[str], timeout: float = 30) -> tuple[int, str, str]:
        return 1, output if "--rmgr=Tablespace" in command else "", ""

    return spaces.observe(instance, t.cast("t.Any", run), t.cast("t.Any", told), {}, stopped)


def test_what_is_there_and_what_the_wal_makes(tmp_path: Path) -> None:
    instance = wal_files(tmp_path, {name(4): 4, name(5): 5})
    (tmp_path / "one" / VERSION).mkdir(parents=True)
    (tmp_path / "pg_tblspc").mkdir()
    (tmp_path / "pg_tblspc/16384").symlink_to(tmp_path / "one")
    (tmp_path / "pg_tblspc/16390").mkdir()  # one in place has none of its own
    told = DUMP.format(tmp_path / "late")
    found = {row["oid"]: (row["linked"], row["there"], row["versions"]) for row in rows(instance, told)}
    assert found == {"16384": (True, "directory", [VERSION]), "16385": (False, "nothing", [])}
    assert [row["oid"] for row in rows(instance, told, stopped=False)] == ["16384"]
    (tmp_path / "pg_tblspc/16385").symlink_to(tmp_path / "late")
    assert [row["linked"] for row in rows(instance, told)] == [True, True]


def test_no_wal_is_no_error(tmp_path: Path) -> None:
    assert rows(Instance("u", "/bin", str(tmp_path), str(tmp_path), "unit", "mdw", 5432), "") == []


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user may write nowhere, and a directory above is root's."""
    monkeypatch.setattr(spaces.os, "access", lambda _path, mode: mode == os.X_OK)
    monkeypatch.setattr(spaces.os, "geteuid", lambda: 4711)


def test_whose_a_place_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nobody: None) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "a").touch()
    assert spaces.usable(str(full)) == ("it belongs to root", False)
    (tmp_path / "link").symlink_to("nowhere")
    assert spaces.usable(str(tmp_path / "link")) == ("it is a link that leads nowhere", False)
    assert spaces.usable(str(full / "a")) == ("it is no directory", False)
    assert spaces.usable(str(full / "a/b")) == (f"{full / 'a'} above it is no directory", False)
    assert spaces.usable("/usr/local/lib/space") == (None, True)
    # a new host has neither: its data directory is made first
    assert spaces.usable("/nowhere/spaces/one", "/nowhere/hawq/master") == (None, False)
    assert spaces.usable("/nowhere/spaces/one", "/elsewhere/hawq/master") == (None, True)
    assert spaces.usable("/nowhere", "/nowhere/hawq/master") == (None, True)
    assert spaces.usable("/usr/spaces", "/usr/data") == (None, True)
    monkeypatch.setattr(spaces.os, "geteuid", os.getuid)
    assert spaces.usable(str(full)) == (None, False)


def test_what_the_user_makes_in_its_own_directory(tmp_path: Path, nobody: None) -> None:
    """A home that is closed to writing; /etc/postgresql/15 of root's in /etc/postgresql, which is the user's."""
    own = tmp_path / "own"
    (own / "roots").mkdir(parents=True)
    os.chown(own, 4711, -1)
    assert spaces.usable(str(own / "new")) == (None, False)
    assert spaces.usable(str(own / "roots/new")) == (None, False)
    (own / "roots/full").touch()
    assert "others than root can change this directory" in str(spaces.usable(str(own / "roots/new"))[0])


def test_a_place_below_a_directory_that_lets_nobody_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root could make it, and no server would get there."""
    closed, place = tmp_path / "closed", str(tmp_path / "closed/a/b")
    closed.mkdir()
    assert (spaces.closed(place), spaces.no_room(place)) == (None, None)
    monkeypatch.setattr(spaces.os, "access", lambda path, _mode: path != str(closed))
    assert spaces.closed(place) == str(closed)
    assert spaces.closed(str(closed)) is None
    assert spaces.closed(str(tmp_path / "other/a")) is None
    assert spaces.usable(place) == (f"{closed} above it lets {account.acting()} not in", False)
    assert spaces.no_room(place) == spaces.usable(place)[0]


def test_a_directory_of_roots_is_given_away_when_it_is_named(monkeypatch: pytest.MonkeyPatch, nobody: None) -> None:
    monkeypatch.setattr(directories, "is_empty", lambda path: path == "/usr")
    assert spaces.usable("/usr") == (None, True)


def test_another_clusters_files_are_not_deleted(tmp_path: Path) -> None:
    for each in (VERSION, "PG_13_202007201", "thesis"):
        (tmp_path / each).mkdir()
    deployment.empty_tablespace(str(tmp_path), VERSION)
    assert sorted(os.listdir(tmp_path)) == ["PG_13_202007201", "thesis"]
    deployment.empty_tablespace(str(tmp_path), None)  # what an earlier version has asked for
    assert sorted(os.listdir(tmp_path)) == ["PG_13_202007201", "thesis"]


def test_what_is_mounted_inside_is_not_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "disk").mkdir()
    table = f"36 35 98:0 / {tmp_path}/disk rw - ext4 /dev/sdb rw\n37 35 98:0 / {tmp_path} rw - ext4 /dev/sdc rw\n"
    (tmp_path.parent / "mountinfo").write_text(table)
    monkeypatch.setattr(mounts, "MOUNTED", str(tmp_path.parent / "mountinfo"))
    assert mounts.below(str(tmp_path)) == [f"{tmp_path}/disk"]
    with pytest.raises(MirroringError, match="a file system is mounted at"):
        user_places.empty(str(tmp_path))
    assert (tmp_path / "disk").is_dir()


def test_whose_tablespace_a_place_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, place = tmp_path / "second", tmp_path / "ts"
    (data / "pg_tblspc").mkdir(parents=True)
    (data / "pg_tblspc/16384").symlink_to(place)
    (place / VERSION).mkdir(parents=True)
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n")
    monkeypatch.chdir(data)
    assert spaces.directory(str(place))["used_by"] == [str(data)]
    (data / "postmaster.pid").write_text("1\n")  # it has ended, and its number is another's
    assert spaces.directory(str(place))["used_by"] == []
