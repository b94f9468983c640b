# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a standby replays, which of its settings hold it up, and what ends a wait for it at once."""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import (
    answer,
    backends,
    database,
    mirroring,
    observe,
    recovering,
    recovery_settings,
    server_info,
    spaces,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host import systemd
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.values import settings_file
from observations import to_come
from sessions import given, instance_in

ADVICE = "Copy it anew"


class Host:
    """A standby's host: what its server is, what its configuration asks for, and what root was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
        self.place, self.instance = place, instance_in(place)
        self.pid: int | None = 1
        self.status, self.does, self.state = "ready", "recovering 01", recovering.RECOVERS
        self.active, self.comes_back, self.needed, self.asked = "active", True, {"max_connections": 200}, []
        self.configured = {"max_connections": "100", "max_wal_senders": "10"}
        (place / "standby.signal").touch()
        monkeypatch.setattr(observe, "control", lambda instance, run: {"state": self.state, **self.needed})
        monkeypatch.setattr(recovering, "pid", lambda instance: self.pid)
        monkeypatch.setattr(database, "postmaster", lambda instance: {"status": self.status})
        self.directories: list[str] = []
        monkeypatch.setattr(backends, "replaying", lambda postmaster: self.does)
        monkeypatch.setattr(systemd, "unit", lambda run, name: {"active": self.active, "waits_for": None})
        monkeypatch.setattr(answer, "ask", lambda instance: None)

    def __call__(self, command: list[str], timeout: float = 30) -> tuple[int, str, str]:
        if command[0] == "systemctl":
            return 0, "0\n", ""  # the unit has no job
        assert command[:2] == ["/bin/postgres", "-C"]
        own = self.place / "postgresql.auto.conf"
        now = {**self.configured, **settings_file.parse(own.read_text() if own.exists() else "")}
        return (0, f"{now[command[2]]}\n", "") if command[2] in now else (1, "", "invalid value\n")

    def root(self, command: list[str], timeout: float = 30) -> tuple[int, str, str]:
        self.asked.append(command[1])
        if command[0] == "journalctl":
            return 0, "FATAL: it is over\n", ""
        if command[1] == "restart":
            self.pid = 2 if self.comes_back else None
            self.active = "active" if self.comes_back else "failed"
        return 0, "", ""

    def state_of(self, **options: t.Any) -> dict[str, t.Any]:
        wanted = {"wait_for": "session", "standby": None, "timeout": 0, "advice": ADVICE, **options}
        return mirroring.state(self.instance, t.cast("t.Any", self), True, **wanted)

    def change(self, act: bool = True, **settings: t.Any) -> dict[str, t.Any]:
        return recovery_settings.change(
            self.instance,
            t.cast("t.Any", self),
            act,
            settings=settings or {"max_connections": 200},
            directories=self.directories,
            timeout=1,
        )


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Host:
    return Host(monkeypatch, tmp_path)


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No session is to be had."""

    def session(*_arguments: t.Any, **_options: t.Any) -> t.Any:
        raise MirroringError("no session with the server: it says why")

    monkeypatch.setattr(database, "session", session)


def test_only_what_is_known_to_be_smaller_is_told() -> None:
    needed = {"max_connections": 200, "max_wal_senders": 10, "max_worker_processes": 8, "state": "x"}
    has = {"max_connections": 100, "max_wal_senders": 20, "max_locks_per_transaction": 1}
    assert recovering.below(has, needed) == {"max_connections": 200}


@pytest.mark.parametrize(
    ("changes", "recovers"),
    [
        pytest.param({}, True, id="ready"),
        pytest.param({"status": "standby"}, True, id="hot-standby-is-off"),
        pytest.param({"status": "starting"}, True, id="it-stands"),
        pytest.param({"state": "in production"}, False, id="a-master"),
        pytest.param({"state": "shut down in recovery"}, False, id="not-yet"),
        pytest.param({"does": None}, False, id="nothing-replays"),
        pytest.param({"pid": None}, False, id="stopped"),
    ],
)
def test_a_standby_that_recovers(
    host: Host, monkeypatch: pytest.MonkeyPatch, changes: dict[str, t.Any], recovers: bool
) -> None:
    for name, value in changes.items():
        setattr(host, name, value)
    watch = recovering.Watch(host.instance, t.cast("t.Any", host))
    watch.recovers()
    monkeypatch.setattr(recovering, "STANDS_SECONDS", 0)
    assert watch.recovers() is recovers


def test_one_that_still_reads_has_not_come_to_its_end(host: Host) -> None:
    host.status = "starting"
    assert not recovering.Watch(host.instance, t.cast("t.Any", host)).recovers()


@pytest.mark.usefixtures("closed")
def test_a_standby_without_sessions_has_started(host: Host) -> None:
    found = host.state_of(wait_for="recovering")
    assert found["mirroring"]["error_message"] == "no session with the server: it says why"


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize(
    ("status", "code", "active", "words"),
    [
        pytest.param("standby", "", "active", "gives no sessions by its configuration", id="hot-standby-is-off"),
        pytest.param("ready", "XX001", "active", "finds its data damaged .invalid page", id="damaged"),
        pytest.param("ready", "", "failed", "has stopped: FATAL: it is over. Copy it anew", id="stopped"),
        pytest.param("ready", "57P03", "active", "no session with the server after 0 s", id="not-yet"),
    ],
)
def test_an_answer_that_is_final_ends_the_wait(
    host: Host, monkeypatch: pytest.MonkeyPatch, status: str, code: str, active: str, words: str
) -> None:
    host.status, host.active = status, active
    monkeypatch.setattr(
        answer, "ask", lambda instance: answer.Answer(code, "invalid page in block 7") if code else None
    )
    final = code != "57P03"
    with pytest.raises(MirroringError, match=words) as raised:
        host.state_of(timeout=600 if final else -1)
    assert ("damaged" in raised.value.details) is (code == "XX001")


def test_a_replay_that_its_settings_hold_up_is_not_waited_for(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    small = {
        recovering.SETTINGS: [{"name": "max_connections", "value": 100}],
        server_info.VIEW_EXISTS: [{"there": False}],
    }
    given(monkeypatch, {**small, mirroring.PAUSED: [{"paused": True}]})
    with pytest.raises(MirroringError, match="max_connections must be at least 200") as raised:
        host.state_of(wait_for="Synchronized", timeout=600)
    assert raised.value.details["recovery_settings"] == {"max_connections": "200"}
    given(monkeypatch, {**small, mirroring.PAUSED: [{"paused": False}]})
    assert host.state_of()["mirroring"]["error_message"] == "no view"


@pytest.mark.usefixtures("closed")
def test_settings_are_written_and_the_server_restarted_once(host: Host) -> None:
    assert host.change(act=False)["changed"]
    assert not (host.place / "postgresql.auto.conf").exists()
    done = host.change()
    assert (done["restarted"], host.asked) == (True, ["reset-failed", "restart"])
    assert done["diff"]["before"] == {"server": "runs", "max_connections": "100"}
    assert done["diff"]["after"] == {"server": "runs", "max_connections": "200"}
    assert settings_file.parse((host.place / "postgresql.auto.conf").read_text()) == {"max_connections": "200"}
    assert not host.change()["changed"]
    assert not host.change(max_connections=150)["changed"]


@pytest.mark.usefixtures("closed")
def test_a_stopped_one_is_started(host: Host) -> None:
    host.pid, host.configured["max_connections"] = None, "300"
    done = host.change()
    assert (done["changed"], done["diff"]["before"]["server"]) == (True, "stopped")
    assert not (host.place / "postgresql.auto.conf").exists()


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize(("seconds", "restarts"), [(-60, True), (60, False), (None, False)])
def test_one_without_a_session_is_restarted_for_what_was_written_since(
    host: Host, monkeypatch: pytest.MonkeyPatch, seconds: int | None, restarts: bool
) -> None:
    host.configured["max_connections"] = "200"
    written = host.place / "postgresql.auto.conf"
    written.write_text("max_connections = '200'\n")
    started = {} if seconds is None else {"started": int(written.stat().st_mtime) + seconds}
    monkeypatch.setattr(database, "postmaster", lambda _instance: started)
    done = host.change(act=False)
    assert (done["changed"], done["restarted"]) == (restarts, restarts)


def test_what_is_written_already_needs_the_restart_only(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.configured["max_connections"] = "200"
    given(monkeypatch, {recovery_settings.RUNNING: [{"name": "max_connections", "setting": "100"}]})
    done = host.change()
    assert (done["restarted"], done["diff"]["before"]["max_connections"]) == (True, "100")
    given(monkeypatch, {recovery_settings.RUNNING: [{"name": "max_connections", "setting": "200"}]})
    assert not host.change()["changed"]


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        pytest.param(lambda host: (host.place / "standby.signal").unlink(), "is no standby's", id="no-standby"),
        pytest.param(
            lambda host: host.configured.clear(), "cannot be read: invalid value", id="a-broken-configuration"
        ),
        pytest.param(lambda host: setattr(host, "comes_back", False), "has ended .FATAL: it is over", id="it-ends"),
        pytest.param(lambda host: setattr(host, "does", None), "does not replay after 1 s", id="it-hangs"),
    ],
)
def test_what_does_not_come_back_is_told(host: Host, break_it: t.Callable[[Host], t.Any], words: str) -> None:
    break_it(host)
    with pytest.raises(MirroringError, match=words):
        host.change()


def test_directories_of_new_tablespaces_are_made_before_the_start(host: Host, tmp_path: Path) -> None:
    host.directories, host.pid, host.active = [str(tmp_path / "late/one")], None, "failed"
    assert host.change(act=False)["made"] == host.directories
    assert not (tmp_path / "late").exists()
    assert host.change()["made"] == host.directories
    assert (tmp_path / "late/one").is_dir()
    assert host.change()["made"] == []


@pytest.mark.parametrize(
    ("overrides", "next_step"),
    [({}, "it makes that directory first"), ({"only_named": True}, "install -d -o gpadmin -m 0700 '/srv/the late'")],
)
def test_a_server_that_ends_of_a_tablespace_says_so(
    host: Host, monkeypatch: pytest.MonkeyPatch, overrides: dict[str, t.Any], next_step: str
) -> None:
    monkeypatch.setattr(spaces, "observe", lambda *_arguments: [to_come("/srv/the late", **overrides)])
    host.instance = dataclasses.replace(host.instance, user="gpadmin")
    words = str(recovering.ended(host.instance, t.cast("t.Any", host), "the standby did not come back"))
    assert "its WAL makes a tablespace in /srv/the late" in words
    assert next_step in words
