# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""In which order a standby becomes the master, what it then gets, and what is told instead of failing."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import (
    answer,
    backends,
    observe,
    promoting,
    promotion,
    recovering,
    retention,
    server_info,
    settings,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host import virtual_ip
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.values import places, settings_file
from sessions import Answers, given, instance_in

STATUS = {
    "in_recovery": True,
    "replay_lsn": "0/5000060",
    "receive_lsn": "0/5000060",
    "synchronous": "",
    "keep_megabytes": 10240,
    "wal_segment_bytes": 16 << 20,
    "between_megabytes": 1024,
    "in_step": "",
    "others": 0,
    "last_commit_at": 1000.0,
}
RESUME, PROMOTE = "SELECT pg_wal_replay_resume()", "SELECT pg_promote(false)"
COMMIT = "SELECT pg_current_xact_id()"
SLOT = "SELECT pg_create_physical_replication_slot(hawq_mirroring_mdw, true)"


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with room, on which a server runs as a standby whose master had 100 connections."""
    monkeypatch.setattr(retention, "room", lambda instance, size, between: retention.Room(100 << 30, 0, size, between))
    monkeypatch.setattr(recovering, "pid", lambda instance: 4711)
    monkeypatch.setattr(
        observe, "control", lambda instance, run: {"state": recovering.RECOVERS, "max_connections": 100}
    )
    monkeypatch.setattr(answer, "ask", lambda instance: None)
    monkeypatch.setattr(backends, "children", lambda postmaster: {})


def standby(polls: int = 2, **status: t.Any) -> Answers:
    """What a standby answers that is a master from the so-manieth look on."""
    looks = iter([True] * polls)
    return {
        promoting.STATUS: lambda: [{**STATUS, **status, "in_recovery": next(looks, False)}],
        promotion.TIMELINE: [{"timeline": 2}],
        server_info.SEGMENTS_EXIST: [{"there": True}],
        promotion.ROLE: [{}],
        server_info.STANDBYS: [],
        server_info.MASTER_NAME: [{"name": "smdw"}],
        promoting.WAITS: [],
        recovering.SETTINGS: [{"name": "max_connections", "value": 100}],
    }


def activate(place: Path, act: bool = True, **options: t.Any) -> dict[str, t.Any]:
    wanted: dict[str, t.Any] = {
        "role": "hawq_mirroring",
        "name": "smdw",
        "slots": [],
        "standbys": [],
        "wal_keep_megabytes": 10240,
        "other_slots": False,
        "address": {"address": "", "interface": ""},
        "address_timeout": 1,
        "timeout": 60,
        "warn": pytest.fail,
    }
    return promotion.activate(instance_in(place), t.cast("t.Any", None), act, **{**wanted, **options})


def test_wal_is_kept_before_the_promotion_and_a_write_commits_after_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cursor = given(monkeypatch, standby())
    (tmp_path / "pg_wal").mkdir()
    (tmp_path / "pg_wal/00000002.history").write_text("1\t0/5000060\tno recovery target specified\n")
    (tmp_path / places.RECORD).write_text("{}")
    done = activate(tmp_path, slots=["hawq_mirroring_mdw"])
    assert [line for line in cursor.told if line in (SLOT, RESUME, PROMOTE, COMMIT)] == [SLOT, PROMOTE, COMMIT]
    assert (done["changed"], done["promoted"], done["timeline"]) == (True, True, 2)
    assert done["activation_lsn"] == "0/5000060"
    assert not (tmp_path / places.RECORD).exists()


def test_a_master_is_not_promoted_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cursor = given(monkeypatch, standby(polls=0))
    done = activate(tmp_path)
    assert (done["changed"], done["promoted"], done["activation_lsn"]) == (False, False, None)
    assert cursor.told == [COMMIT]


def test_a_check_asks_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(promotion.stopping, "workers", lambda place: [4711])
    cursor = given(monkeypatch, standby())
    assert activate(tmp_path, act=False) == {
        "changed": True,
        "promoted": True,
        "diff": {"before": "standby\n", "after": "master\n"},
    }
    assert cursor.told == []


def test_commits_wait_for_nobody_and_slots_get_a_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cursor = given(monkeypatch, standby(synchronous="smdw", keep_megabytes=-1))
    done = activate(tmp_path, standbys=["sdw1"])
    assert done["released_from"] == "smdw"
    assert done["done"] == [
        "synchronous_standby_names emptied",
        "max_slot_wal_keep_size limited to 10240 MB",
        "standbys registered",
    ]
    assert 'ALTER SYSTEM SET "max_slot_wal_keep_size" = 10240MB' in cursor.told


def test_settings_where_others_keep_them_from_alter_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A new master needs them all the same: PostgreSQL 17's allow_alter_system keeps no file from being read."""
    cursor = given(monkeypatch, {**standby(synchronous="smdw"), settings.FORBIDDEN: [{"forbidden": True}]})
    (tmp_path / "postgresql.auto.conf").write_text("synchronous_standby_names = 'smdw'\nwork_mem = '5MB'\n")
    activate(tmp_path)
    assert not [each for each in cursor.told if "ALTER SYSTEM" in each]
    told = settings_file.parse((tmp_path / "postgresql.auto.conf").read_text())
    assert (told["synchronous_standby_names"], told["work_mem"]) == ("", "5MB")
    assert "SELECT pg_reload_conf()" in cursor.told


def test_a_promotion_that_does_not_end_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given(monkeypatch, standby(polls=1000))
    with pytest.raises(MirroringError, match="replay stands at 0/5000060 of 0/5000060"):
        activate(tmp_path, timeout=0)


def test_an_address_that_stays_away_is_no_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def take(*_arguments: t.Any) -> None:
        raise MirroringError("it is not on eth0")

    given(monkeypatch, standby())
    monkeypatch.setattr(virtual_ip, "here", lambda run, address: False)
    monkeypatch.setattr(virtual_ip, "take", take)
    done = activate(tmp_path, address={"address": "112.0.2.10/24", "interface": "eth0"})
    assert (done["promoted"], done["address_trouble"]) == (True, "it is not on eth0")


def test_a_standby_whose_settings_are_too_small_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """To promote it, or to let its replay go on, would end its server."""
    cursor = given(monkeypatch, {**standby(), recovering.SETTINGS: [{"name": "max_connections", "value": 50}]})
    with pytest.raises(MirroringError, match="max_connections must be at least 100") as raised:
        activate(tmp_path, slots=["hawq_mirroring_mdw"])
    assert raised.value.details["recovery_settings"] == {"max_connections": "100"}
    assert cursor.told == []


class Server:
    """A standby that can only be reached by signals; what is told to it is counted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, closed: int, code: str = "") -> None:
        """Give no session for so many attempts, with this code as the answer."""
        self.told: list[list[str]] = []
        self.ended: list[int] = []
        self.is_master, self._closed = False, closed
        self.clients: list[backends.Client] = []
        self.does = "recovering 000000010000000000000003"
        self.cursor = given(monkeypatch, standby(polls=0))
        inner = promoting.database.session

        def session(*arguments: t.Any, **options: t.Any) -> t.Any:
            self._closed -= 1
            if self._closed >= 0:
                raise MirroringError("no session with the server: it says why")
            return inner(*arguments, **options)

        monkeypatch.setattr(promoting.database, "session", session)
        monkeypatch.setattr(answer, "ask", lambda instance: answer.Answer(code, "words") if code else None)
        monkeypatch.setattr(recovering, "state", lambda instance, run: self._state())
        monkeypatch.setattr(backends, "clients", lambda postmaster: backends.in_order(self.clients))
        monkeypatch.setattr(backends, "replaying", lambda postmaster: self.does)
        monkeypatch.setattr(backends, "end", self._end)
        monkeypatch.setattr(promoting, "LOOK_SECONDS", 0)
        monkeypatch.setattr(promoting, "ROOM_SECONDS", 0)
        monkeypatch.setattr(promotion, "SESSION_SECONDS", 0)

    def __call__(self, command: list[str], timeout: float = 30) -> tuple[int, str, str]:
        self.told.append(command)
        self.is_master = not backends.waits(self.does)
        return 0, "", ""

    def _state(self) -> str:
        return recovering.MASTER if self.is_master else recovering.RECOVERS

    def _end(self, postmaster: int, client: backends.Client) -> bool:
        self.ended.append(client.pid)
        self.clients.remove(client)
        self.is_master = True
        return True

    def activate(self, place: Path, **options: t.Any) -> dict[str, t.Any]:
        wanted: dict[str, t.Any] = {
            "role": "hawq_mirroring",
            "name": "smdw",
            "slots": ["hawq_mirroring_mdw"],
            "standbys": [],
            "wal_keep_megabytes": 10240,
            "other_slots": False,
            "address": {"address": "", "interface": ""},
            "address_timeout": 1,
            "timeout": 2,
        }
        return promotion.activate(instance_in(place), t.cast("t.Any", self), True, **{**wanted, **options})


def client(pid: int, does: str) -> backends.Client:
    return backends.Client(pid, pid, "shop shop [local]", does)


def test_a_standby_without_a_session_is_promoted_by_a_signal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server, warnings = Server(monkeypatch, closed=1), []
    done = server.activate(tmp_path, warn=warnings.append)
    assert server.told == [["/bin/pg_ctl", "promote", "-W", "-D", str(tmp_path)]]
    assert (done["promoted"], done["done"][0]) == (True, "slot hawq_mirroring_mdw made")
    assert "no slot could be made before the standby was promoted (no session with the server" in warnings[0]
    assert "comparison of all (delta)" in warnings[0]


@pytest.mark.parametrize("closed", [0, 1], ids=["in a session", "by a signal"])
@pytest.mark.parametrize("others", [(), ("recovery.signal",)], ids=["ours", "somebody else's recovery"])
def test_the_mark_of_a_standby_is_there_before_it_is_promoted(
    closed: int, others: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A promotion removes it, and ends the server where it is gone already."""
    for name in others:
        (tmp_path / name).touch()
    if closed:
        Server(monkeypatch, closed).activate(tmp_path, warn=lambda words: None)
    else:
        given(monkeypatch, standby())
        activate(tmp_path)
    assert (tmp_path / "standby.signal").exists() is (not others)


@pytest.mark.parametrize("closed", [0, 1], ids=["in a session", "by a signal"])
def test_what_somebody_has_stopped_is_let_go_on(closed: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    woken: list[int] = []
    monkeypatch.setattr(backends, "wake", lambda server: woken.append(server) or [])
    if closed:
        Server(monkeypatch, closed).activate(tmp_path, warn=lambda words: None)
    else:
        given(monkeypatch, standby())
        activate(tmp_path)
    assert woken == [4711]


def test_a_master_gets_no_mark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given(monkeypatch, standby(polls=0))
    assert not activate(tmp_path)["promoted"]
    assert not (tmp_path / "standby.signal").exists()


def test_where_all_sessions_are_taken_the_oldest_idle_one_makes_room(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = Server(monkeypatch, closed=2, code=answer.TOO_MANY)
    server.clients = [client(7, "SELECT"), client(9, "idle"), client(6, "idle"), client(5, "idle"), client(4, "idle")]
    done = server.activate(tmp_path, warn=pytest.fail)
    assert server.ended[:3] == [4, 5, 6]
    assert server.ended[3:] == [9]  # for those who need a session next
    assert done["ended_sessions"][0] == {"pid": 4, "title": "shop shop [local] idle", "why": promoting.NO_ROOM}


def test_the_session_that_was_had_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The next one might be somebody else's."""
    given(monkeypatch, standby(polls=5))
    inner, opened = promoting.database.session, []

    def session(*arguments: t.Any, **options: t.Any) -> t.Any:
        opened.append(options)
        return inner(*arguments, **options)

    monkeypatch.setattr(promoting.database, "session", session)
    assert activate(tmp_path, slots=["hawq_mirroring_mdw"])["promoted"]
    assert len(opened) == 1


def test_who_holds_the_replay_up_is_ended_without_a_session(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server = Server(monkeypatch, closed=2)
    server.clients, server.does = [client(7, "idle in transaction"), client(8, "idle")], "recovering 01 waiting"
    done = server.activate(tmp_path, warn=lambda _words: None)
    assert server.ended == [7]
    assert done["ended_sessions"][0]["why"] == promoting.IN_THE_WAY


@pytest.mark.parametrize(
    ("pids", "ended"),
    [pytest.param([8], [8], id="who-has-the-lock"), pytest.param([], [7, 8], id="nobody-is-known")],
)
def test_who_holds_the_replay_up_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pids: list[int], ended: list[int]
) -> None:
    waits = [{"kind": "Lock", "event": "relation", "pids": pids}]
    sessions = [{"pid": pid, "title": "shop shop [local] active"} for pid in (7, 8)]
    monkeypatch.setattr(promoting, "LOOK_SECONDS", 0)
    cursor = given(monkeypatch, {**standby(polls=3), promoting.WAITS: waits, promoting.OPEN: sessions})
    done = activate(tmp_path)
    assert {each["pid"] for each in done["ended_sessions"]} == set(ended)
    assert {line for line in cursor.told if "terminate" in line} == {
        f"SELECT pg_terminate_backend({pid})" for pid in ended
    }


def test_a_server_that_ends_meanwhile_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server = Server(monkeypatch, closed=100)
    server.does = "recovering 01"
    monkeypatch.setattr(recovering, "pid", lambda instance: None)
    monkeypatch.setattr(recovering, "state", lambda instance, run: recovering.RECOVERS)
    monkeypatch.setattr(recovering, "last_words", lambda instance, run: "FATAL: it is over")
    with pytest.raises(MirroringError, match=r"the server of hawq-master.service has ended .FATAL: it is over"):
        server.activate(tmp_path, warn=pytest.fail)


def test_the_disk_limits_what_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(retention, "room", lambda instance, size, between: retention.Room(400 << 20, 0, size, between))
    warnings: list[str] = []
    cursor = given(monkeypatch, standby())
    done = activate(tmp_path, warn=warnings.append)
    assert "max_slot_wal_keep_size limited to 112 MB" in done["done"]
    assert 'ALTER SYSTEM SET "max_slot_wal_keep_size" = 112MB' in cursor.told
    assert "max_wal_size is 1024 MB, and the disk of the WAL has 400 MB free" in warnings[1]
    assert "400 MB free, so this master keeps 112 MB of WAL" in warnings[0]
