# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fencing: what is stopped, marked and recorded, what takes that back, and what stays when something goes wrong."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import fencing, observe, stopping
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql.salvage import offering
from ansible_collections.hawq.mirroring.plugins.module_utils.host import systemd, virtual_ip
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.values import places
from sessions import given, instance_in, root_offers

RUN = t.cast("t.Any", None)
ADDRESS = {"address": "192.0.2.10/24", "interface": "eth0"}


class Server:
    """A server that ends as it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
        self.place, self.running, self.ends, self.told = place, True, "fast", []
        self.permission = place.parent / "permission"
        root_offers(monkeypatch, permit=self._permit)
        monkeypatch.setattr(observe, "control", lambda instance, run: {"state": "shut down"})
        monkeypatch.setattr(observe, "process", lambda instance, pidfile: {**self._process()})
        monkeypatch.setattr(systemd, "unit", lambda run, name: {"active": "active" if self.running else "inactive"})
        monkeypatch.setattr(stopping, "workers", lambda path: [1] if self.running else [])
        monkeypatch.setattr(stopping, "drain", lambda *_: self.told.append("drain") or False)
        monkeypatch.setattr(stopping, "stop", self._stop)

    def _permit(self, given: bool) -> None:
        if given:
            # before the marks are taken away: killed in between, the server may start, and is a standby
            assert self.marks() == ["hawq_mirroring.fence", "standby.signal"]
            self.permission.touch()
        else:
            self.permission.unlink(missing_ok=True)

    def _process(self) -> dict[str, t.Any]:
        return {"running": self.running, "pid": 1 if self.running else None, "frozen": False}

    def _stop(self, *_arguments: t.Any) -> str:
        self.told.append("stop")
        self.running = not self.ends
        return self.ends

    def marks(self) -> list[str]:
        return sorted(path.name for path in self.place.iterdir())


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Server:
    (tmp_path / "master").mkdir()
    return Server(monkeypatch, tmp_path / "master")


def fence(server: Server, act: bool = True, **options: t.Any) -> dict[str, t.Any]:
    wanted: dict[str, t.Any] = {
        "reason": "smdw takes over",
        "was": "master",
        "address": {"address": "", "interface": ""},
        "offer": None,
        "accept_loss": False,
        "drain": 0,
        "timeout": 20,
        "warn": pytest.fail,
    }
    return fencing.fence(instance_in(server.place), RUN, act, **{**wanted, **options})


def test_it_is_stopped_marked_and_recorded_once(server: Server) -> None:
    server.permission.touch()
    first = fence(server)
    assert not server.permission.exists()
    assert (first["changed"], first["stopped"], first["cut_off"]) == (True, "fast", False)
    assert server.marks() == ["hawq_mirroring.fence", "standby.signal"]
    kept = json.loads((server.place / places.RECORD).read_text())
    assert kept == first["record"]
    assert (kept["reason"], kept["was"], kept["control"]) == ("smdw takes over", "master", {"state": "shut down"})
    again = fence(server, reason="another")
    assert (again["changed"], again["stopped"], again["record"]) == (False, "", kept)


def test_a_check_changes_nothing(server: Server) -> None:
    server.permission.touch()
    assert fence(server, act=False)["changed"]
    assert (server.told, server.marks(), server.permission.exists()) == ([], [], True)


def test_what_it_has_been_since_is_recorded_anew(server: Server) -> None:
    fence(server)
    assert fence(server, was="standby")["record"]["was"] == "standby"


def test_sessions_get_their_time_first(server: Server) -> None:
    assert fence(server, drain=5)["cut_off"]
    assert server.told == ["drain", "stop"]


def test_a_server_that_does_not_die_is_not_marked(server: Server) -> None:
    server.ends = ""
    with pytest.raises(MirroringError, match="switch the host off"):
        fence(server)
    assert server.marks() == []


def test_an_address_that_stays_is_a_warning(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def release(*_arguments: t.Any) -> None:
        raise MirroringError("it is still here")

    monkeypatch.setattr(virtual_ip, "here", lambda run, address: True)
    monkeypatch.setattr(virtual_ip, "release", release)
    said: list[str] = []
    assert fence(server, address=ADDRESS, warn=said.append)["changed"]
    assert said == ["it is still here"]


@pytest.mark.parametrize("accepted", [True, False])
def test_an_offer_that_fails(server: Server, monkeypatch: pytest.MonkeyPatch, accepted: bool) -> None:
    """With the loss accepted it is told; otherwise the way back is told with it, since the server is stopped by now."""

    def offer(*_arguments: t.Any) -> None:
        raise MirroringError("no WAL")

    monkeypatch.setattr(offering, "offer", offer)
    wanted = {"after": "0/3000000", "have": "0/3000000", "timeline": 1, "known": None}
    if accepted:
        assert fence(server, offer=wanted, accept_loss=True)["msg"] == "no WAL"
    else:
        with pytest.raises(MirroringError, match=r"no WAL\. Nothing was activated; .*systemctl start hawq-master"):
            fence(server, offer=wanted)


def test_stopping_leaves_no_mark(server: Server) -> None:
    stop = fencing.stop(instance_in(server.place), RUN, True, timeout=20)
    assert (stop["changed"], stop["stopped"], server.marks()) == (True, "fast", [])
    assert not fencing.stop(instance_in(server.place), RUN, True, timeout=20)["changed"]


def test_undoing_lets_it_start_as_a_master_once(server: Server) -> None:
    fence(server)
    assert fencing.undo(instance_in(server.place), False)["changed"]
    assert (len(server.marks()), server.permission.exists()) == (2, False)
    assert fencing.undo(instance_in(server.place), True)["changed"]
    assert (server.marks(), server.permission.exists()) == ([], True)
    assert not fencing.undo(instance_in(server.place), True)["changed"]


@pytest.mark.parametrize("streams", [True, False])
def test_lifting_waits_until_it_streams(server: Server, monkeypatch: pytest.MonkeyPatch, streams: bool) -> None:
    fence(server)
    server.permission.touch()
    cursor = given(
        monkeypatch,
        {fencing.STANDING: [{"streams": streams}], fencing.SLOTS: [{"slot_name": "hawq_mirroring_smdw"}]},
    )
    if streams:
        assert fencing.lift(instance_in(server.place), True, timeout=0)["changed"]
        assert cursor.told == ["SELECT pg_drop_replication_slot(hawq_mirroring_smdw)"]
        assert (server.marks(), server.permission.exists()) == (["standby.signal"], False)
    else:
        with pytest.raises(MirroringError, match="no standby that streams"):
            fencing.lift(instance_in(server.place), True, timeout=0)
        assert (cursor.told, len(server.marks()), server.permission.exists()) == ([], 2, True)
