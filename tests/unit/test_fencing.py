# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fencing: what is stopped, marked and recorded, what takes that back, and what stays when something goes wrong."""

from __future__ import annotations

import errno
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import fencing, observe, stopping
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql.salvage import offering
from ansible_collections.hawq.mirroring.plugins.module_utils.host import files, programs, systemd, virtual_ip
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner
from ansible_collections.hawq.mirroring.plugins.module_utils.values import places
from sessions import given, instance_in, root_offers

MINE, ANOTHER = "switchover-20261127T074408Z-3f9a", "failover-20261127T074500Z-0001"
ADDRESS = {"address": "192.0.2.10/24", "interface": "eth0"}


class Server:
    """A server that ends as it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
        self.place, self.running, self.ends, self.told = place, True, "fast", []
        self.state, self.frozen = "in production", False
        self.permission = place.parent / "permission"
        root_offers(monkeypatch, permit=self._permit, run=self._root)
        monkeypatch.setattr(observe, "control", lambda instance, run: {"state": self.state})
        monkeypatch.setattr(observe, "process", lambda instance, pidfile: {**self._process()})
        monkeypatch.setattr(systemd, "unit", lambda run, name: {"active": "active" if self.running else "inactive"})
        monkeypatch.setattr(stopping, "workers", lambda path: [1] if self.running else [])
        monkeypatch.setattr(stopping, "drain", lambda *_: self.told.append("drain") or False)
        monkeypatch.setattr(stopping, "stop", self._stop)

    def _permit(self, run: str | None) -> None:
        if run:
            # before the marks are taken away: killed in between, the server may start, and is a standby
            assert self.marks() == ["hawq_mirroring.fence", "standby.signal"]
            self.permission.write_text(run)
        else:
            self.permission.unlink(missing_ok=True)

    def _root(self, command: list[str], timeout: float) -> tuple[int, str, str]:
        if command[:2] == ["systemctl", "start"]:
            assert self.marks() == []
            assert "--no-block" in command
            self.running = True
        self.told.append(command[1])
        return 0, "", ""

    def _process(self) -> dict[str, t.Any]:
        return {"running": self.running, "pid": 1 if self.running else None, "frozen": self.frozen}

    def _stop(self, *_arguments: t.Any) -> str:
        self.told.append("stop")
        self.running, self.state = not self.ends, "shut down"
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
        "by": MINE,
        "still": None,
        "address": {"address": "", "interface": ""},
        "offer": None,
        "accept_loss": False,
        "drain": 0,
        "timeout": 20,
        "warn": pytest.fail,
    }
    return fencing.fence(instance_in(server.place), Runner(), act, **{**wanted, **options})


def undo(server: Server, by: str = MINE, act: bool = True, unasked: bool = True) -> dict[str, t.Any]:
    return fencing.undo(instance_in(server.place), Runner(), act, by=by, unasked=unasked)


def test_it_is_stopped_marked_and_recorded_once(server: Server) -> None:
    server.permission.touch()
    first = fence(server)
    assert not server.permission.exists()
    assert (first["changed"], first["stopped"], first["cut_off"]) == (True, "fast", False)
    assert server.marks() == ["hawq_mirroring.fence", "standby.signal"]
    kept = json.loads((server.place / places.RECORD).read_text())
    assert kept == first["record"]
    assert (kept["reason"], kept["was"], kept["control"]) == ("smdw takes over", "master", {"state": "shut down"})
    assert kept["run"] == MINE
    again = fence(server, reason="smdw takes over")
    assert (again["changed"], again["stopped"], again["record"]) == (False, "", kept)


def test_the_run_that_fences_it_last_has_the_record(server: Server) -> None:
    """What the first has recorded of the data stays: the server may have written since."""
    first = fence(server, reason="switchover to smdw")["record"]
    server.state = "shut down in recovery"
    without = fence(server, by=None, reason="nobody is activated")
    assert (without["changed"], without["record"]) == (False, first)
    over = fence(server, by=ANOTHER, reason="smdw took over as master")
    assert over["changed"]
    assert over["record"] == {**first, "run": ANOTHER, "reason": "smdw took over as master"}
    assert json.loads((server.place / places.RECORD).read_text()) == over["record"]


def test_the_record_comes_before_the_mark(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed in between, the run finds it as its own, and can undo it."""
    written: list[str] = []

    def write(path: str, text: str, *, act: bool) -> bool:
        written.append(Path(path).name)
        return act

    monkeypatch.setattr(files, "write", write)
    fence(server)
    assert written == ["hawq_mirroring.fence", "standby.signal"]


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("missing", [None, "program", "unit", "settings"])
def test_a_disk_that_takes_no_record(server: Server, monkeypatch: pytest.MonkeyPatch, missing: str | None) -> None:
    """The server is stopped all the same, and its interlock holds it, where that is whole."""

    def write(*_arguments: t.Any, act: bool) -> bool:
        assert act
        raise FULL

    there = {"program": "a", "unit": "b", "settings": {"peers": []}}
    monkeypatch.setattr(files, "write", write)
    monkeypatch.setattr(programs, "observe", lambda *_arguments: {**there, **({missing: None} if missing else {})})
    said: list[str] = []
    if missing:
        why = r"No space left on device.*no interlock keeps it.*master_is_down=true"
        with pytest.raises(MirroringError, match=why):
            fence(server, warn=said.append)
    else:
        found = fence(server, warn=said.append)
        assert (found["changed"], found["stopped"]) == (True, "fast")
        assert ["its interlock keeps it from starting" in each for each in said] == [True]
    assert server.marks() == []


STATES = [
    ("master", "in production", True),
    ("master", "in archive recovery", False),
    ("standby", "in archive recovery", True),
    ("standby", "in production", False),
    ("standby", "in crash recovery", True),
    (None, "in production", True),
]


@pytest.mark.parametrize(("still", "state", "acts"), STATES)
@pytest.mark.parametrize("how", ["fence", "stop"])
def test_what_another_run_has_changed_meanwhile_is_left_alone(
    server: Server, how: str, still: str | None, state: str, acts: bool
) -> None:
    server.state = state

    def act() -> None:
        if how == "fence":
            fence(server, still=still)
        else:
            fencing.stop(instance_in(server.place), Runner(), True, still=still, timeout=20)

    if acts:
        act()
        assert server.told == ["stop"]
    else:
        with pytest.raises(MirroringError, match=f"was a {still} when this run looked"):
            act()
        assert (server.told, server.marks(), server.running) == ([], [], True)


def test_a_frozen_server_is_what_it_was(server: Server) -> None:
    server.frozen = True
    fencing.stop(instance_in(server.place), Runner(), True, still="standby", timeout=20)
    assert server.told == ["stop"]


def test_a_server_that_is_stopped_is_as_it_was_left(server: Server) -> None:
    server.running, server.state = False, "shut down in recovery"
    assert fence(server, still="master")["changed"]


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
    stop = fencing.stop(instance_in(server.place), Runner(), True, still=None, timeout=20)
    assert (stop["changed"], stop["stopped"], server.marks()) == (True, "fast", [])
    assert not fencing.stop(instance_in(server.place), Runner(), True, still=None, timeout=20)["changed"]


def test_undoing_lets_it_start_as_a_master_once(server: Server) -> None:
    fence(server)
    assert undo(server, act=False)["changed"]
    assert (len(server.marks()), server.permission.exists(), server.running) == (2, False, False)
    assert undo(server)["changed"]
    assert (server.marks(), server.permission.read_text(), server.running) == ([], MINE, True)
    assert not undo(server)["changed"]


def test_without_a_look_at_the_standby_its_start_asks_first(server: Server) -> None:
    fence(server)
    server.permission.touch()
    assert undo(server, unasked=False)["changed"]
    assert (server.marks(), server.permission.exists(), server.running) == ([], False, True)


OTHERS: dict[str, tuple[dict[str, t.Any] | None, list[str], str]] = {
    "another run's": (
        {"run": ANOTHER, "reason": "smdw took over as master"},
        [],
        f"{ANOTHER} .smdw took over as master",
    ),
    "an older version's": ({"reason": "smdw took over as master"}, [], "another run .smdw took over"),
    "without a reason": ({"run": ANOTHER}, [], f"{ANOTHER} and not by this one .{MINE}"),
    "a standby by now": (None, ["standby.signal"], "marked as a standby"),
}


@pytest.mark.parametrize(("record", "marks", "words"), OTHERS.values(), ids=OTHERS)
def test_a_run_undoes_only_its_own(
    server: Server, record: dict[str, t.Any] | None, marks: list[str], words: str
) -> None:
    server.running = False
    for name in marks:
        (server.place / name).touch()
    if record is not None:
        (server.place / "standby.signal").touch()
        (server.place / places.RECORD).write_text(json.dumps(record))
    before = server.marks()
    for act in (False, True):
        with pytest.raises(MirroringError, match=words):
            undo(server, act=act)
    assert (server.marks(), server.permission.exists(), server.running, server.told) == (before, False, False, [])


def test_what_was_never_fenced_is_started(server: Server) -> None:
    """The fence failed before it had marked anything."""
    server.running = False
    server.permission.touch()
    assert not undo(server)["changed"]
    assert (server.running, server.permission.exists()) == (True, True)


@pytest.mark.parametrize("streams", [True, False])
def test_lifting_waits_until_it_streams(server: Server, monkeypatch: pytest.MonkeyPatch, streams: bool) -> None:
    fence(server)
    server.permission.touch()
    cursor = given(
        monkeypatch,
        {fencing.STANDING: [{"streams": streams}], fencing.SLOTS: [{"slot_name": "hawq_mirroring_smdw"}]},
    )
    if streams:
        assert fencing.lift(instance_in(server.place), True, slots=[], timeout=0)["changed"]
        assert cursor.told == ["SELECT pg_drop_replication_slot(hawq_mirroring_smdw)"]
        assert (server.marks(), server.permission.exists()) == (["standby.signal"], False)
    else:
        with pytest.raises(MirroringError, match="no standby that streams"):
            fencing.lift(instance_in(server.place), True, slots=[], timeout=0)
        assert (cursor.told, len(server.marks()), server.permission.exists()) == ([], 2, True)


UNREADABLE = {"no content": "", "no words": "{}", "no JSON": "{", "no dictionary": "[]"}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_a_record_that_says_nothing_is_lifted_as_well(
    server: Server, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    fence(server)
    record = Path(server.place, places.RECORD)
    record.write_text(text)
    given(monkeypatch, {fencing.STANDING: [{"streams": True}], fencing.SLOTS: []})
    assert fencing.lift(instance_in(server.place), False, slots=[], timeout=0)["changed"]
    assert record.exists()
    assert fencing.lift(instance_in(server.place), True, slots=[], timeout=0)["changed"]
    assert server.marks() == ["standby.signal"]
    assert not fencing.lift(instance_in(server.place), True, slots=[], timeout=0)["changed"]


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("marked", [True, False])
def test_a_record_that_says_nothing_is_nobodys_to_undo(server: Server, text: str, marked: bool) -> None:
    fence(server)
    Path(server.place, places.RECORD).write_text(text)
    if not marked:
        Path(server.place, "standby.signal").unlink()
    with pytest.raises(MirroringError, match="fenced by another run"):
        undo(server)
