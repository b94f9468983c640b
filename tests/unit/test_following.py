# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a directory is told to follow, which directory that is, and who hears of it."""

from __future__ import annotations

import os
import signal
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import (
    following,
    observe,
    recovering,
    stopping,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.values import settings_file
from sessions import given, instance_in


class Host:
    """A host whose server runs or not; it counts what was told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
        self.place, self.pid, self.told = place, None, []
        monkeypatch.setattr(observe, "process", lambda instance, pidfile: {"running": bool(self.pid), "pid": self.pid})
        monkeypatch.setattr(stopping, "end_rewind", lambda path: False)
        monkeypatch.setattr(os, "kill", lambda pid, number: self.told.append(number))

    def root(self, command: list[str], timeout: float = 30) -> tuple[int, str, str]:
        assert command == ["systemctl", command[1], "hawq-master.service"]
        self.told.append(command[1])
        return 0, "", ""

    def follow(self, act: bool = True, **options: t.Any) -> dict[str, t.Any]:
        wanted: dict[str, t.Any] = {
            "directory": None,
            "copy_id": None,
            "primary": {"host": "mdw", "port": 5432},
            "slot": "hawq_mirroring_smdw",
            "settings": {},
            "reload": False,
            "resume": False,
        }
        run = t.cast("t.Any", self)
        return following.follow(instance_in(self.place), run, act, **{**wanted, **options})


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Host:
    (tmp_path / "master").mkdir()
    return Host(monkeypatch, tmp_path / "master")


def test_a_directory_becomes_a_standbys_once(host: Host) -> None:
    assert host.follow(act=False)["changed"]
    assert list(host.place.iterdir()) == []
    done = host.follow(settings={"hot_standby": "on"})
    told = settings_file.parse((host.place / "postgresql.auto.conf").read_text())
    assert told["primary_conninfo"] == done["primary_conninfo"]
    assert (told["primary_slot_name"], told["hot_standby"]) == ("hawq_mirroring_smdw", "on")
    assert (host.place / "standby.signal").exists()
    assert host.told == ["reset-failed"]
    assert not host.follow(settings={"hot_standby": "on"})["changed"]


def test_a_running_server_is_reloaded_when_something_changed(host: Host) -> None:
    host.pid = 4711
    host.follow()
    assert host.told == [signal.SIGHUP]
    host.follow()
    assert host.told == [signal.SIGHUP]
    host.follow(reload=True)
    assert host.told == [signal.SIGHUP] * 2


def test_a_copy_is_told_where_it_is(host: Host) -> None:
    copy = host.place.parent / "copy"
    copy.mkdir()
    host.follow(directory=str(copy), copy_id=copy.stat().st_ino)
    assert (copy / "standby.signal").exists()
    assert list(host.place.iterdir()) == []
    # another run has deployed it meanwhile
    host.follow(directory=str(copy), copy_id=host.place.stat().st_ino)
    assert (host.place / "standby.signal").exists()


def test_a_directory_that_has_gone(host: Host) -> None:
    assert host.follow(act=False, directory="/nowhere")["changed"]
    with pytest.raises(MirroringError, match="does not exist: run the whole playbook again"):
        host.follow(directory="/nowhere")


def test_a_replay_goes_on_unless_that_would_end_the_server(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observe, "control", lambda instance, run: {"max_connections": 200})
    cursor = given(monkeypatch, {recovering.SETTINGS: [{"name": "max_connections", "value": 200}]})
    assert host.follow(resume=True)["changed"]
    assert cursor.told == ["SELECT pg_wal_replay_resume()"]
    cursor = given(monkeypatch, {recovering.SETTINGS: [{"name": "max_connections", "value": 100}]})
    with pytest.raises(MirroringError, match="max_connections must be at least 200"):
        host.follow(resume=True)
    assert cursor.told == []
