# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is done before a standby is activated whose commits wait, so that it confirms none before its guard lets it."""

from __future__ import annotations

import json
import os
import stat
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import (
    answer,
    backends,
    holding,
    promoting,
    recovering,
    settings,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.values import ledger, places
from sessions import Answers, given, instance_in
from test_promotion import activate, host, standby

#: of every test here
FIXTURES = (host,)
PROMOTE, RELOAD = "SELECT pg_promote(false)", "SELECT pg_reload_conf()"
SET = f'ALTER SYSTEM SET "synchronous_standby_names" = {holding.HELD}'
INHERITED = {"timeline": 5, "number": 7, "witnesses": [["sdw1", "sdw2", "sdw3"]], "skipped": [3, 4]}
HOLD = holding.Hold(True, {**INHERITED, "timeline": 2, "skipped": []})


@pytest.fixture(autouse=True)
def directory(tmp_path: Path) -> Path:
    """Let there be a place for history files."""
    (tmp_path / "pg_wal").mkdir()
    return tmp_path


def held(before: str = "", after: str = holding.HELD, standing: bool = True, told: str = "") -> Answers:
    """What a standby answers whose setting is this before it is changed, and that afterwards."""
    values = iter([before])
    return {
        holding.STATE: lambda: [{"standby": standing, "value": next(values, after), "checkpointer": None}],
        settings.QUERY: [{"name": holding.SETTING, "value": before, "written": before, "told": told}],
    }


def test_commits_are_held_before_the_promotion_and_stay_the_guards(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cursor = given(monkeypatch, {**standby(synchronous=holding.HELD), **held()})
    done = activate(tmp_path, held=True, inherited=HOLD.inherited)
    assert [line for line in cursor.told if line in (SET, RELOAD, PROMOTE)] == [SET, RELOAD, PROMOTE]
    assert (done["promoted"], done["released_from"]) == (True, "")
    assert not [line for line in cursor.told if "synchronous_standby_names" in line and line != SET]


def test_what_is_held_already_is_not_set_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cursor = given(monkeypatch, {**standby(), **held(holding.HELD, told=holding.HELD)})
    activate(tmp_path, held=True, inherited=HOLD.inherited)
    assert SET not in cursor.told
    assert PROMOTE in cursor.told


def test_nobody_is_promoted_whose_commits_cannot_be_held(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Something else sets it, such as the server's command line."""
    monkeypatch.setattr(holding, "SECONDS", 0.0)
    cursor = given(monkeypatch, {**standby(), **held(after="")})
    with pytest.raises(MirroringError, match="not in effect"):
        activate(tmp_path, held=True, inherited=HOLD.inherited)
    assert PROMOTE not in cursor.told
    assert not (tmp_path / places.INHERITED).exists()


def test_a_master_is_left_to_its_guard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cursor = given(monkeypatch, {**standby(polls=0, synchronous="ANY 1 (smdw)"), **held("x", standing=False)})
    done = activate(tmp_path, held=True, inherited=HOLD.inherited)
    assert (done["promoted"], done["released_from"]) == (False, "")
    assert not [line for line in cursor.told if "synchronous_standby_names" in line]
    assert not (tmp_path / places.INHERITED).exists()


def test_the_guard_is_told_what_the_witnesses_know(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It reads it as its program does, and finds it before there is a new master."""
    there: list[bool] = []
    cursor = given(monkeypatch, {**standby(), **held()})
    before = cursor.execute

    def execute(query: str, parameters: t.Any = None) -> None:
        if query == PROMOTE:
            there.append((tmp_path / places.INHERITED).exists())
        before(query, parameters)

    monkeypatch.setattr(cursor, "execute", execute)
    activate(tmp_path, held=True, inherited=HOLD.inherited)
    path = tmp_path / places.INHERITED
    assert there == [True]
    assert json.loads(path.read_text()) == {"timeline": 2, "number": 7, "witnesses": [["sdw1", "sdw2", "sdw3"]]}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_guard_is_told_the_timeline_that_there_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given(monkeypatch, {**standby(), **held()})
    activate(tmp_path, held=True, inherited=INHERITED)
    assert json.loads((tmp_path / places.INHERITED).read_text())["timeline"] == 2


def test_timelines_of_others_are_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pg_wal/00000003.history").write_text("somebody's\n")
    given(monkeypatch, {**standby(), **held()})
    activate(tmp_path, held=True, inherited=INHERITED)
    assert (tmp_path / "pg_wal/00000003.history").read_text() == "somebody's\n"
    assert (tmp_path / "pg_wal/00000004.history").read_text() == holding.PASSED_OVER
    assert not (tmp_path / "pg_wal/00000005.history").exists()


def test_they_are_taken_up_again_where_nobody_was_promoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A standby that is started with such a file would not start."""
    given(monkeypatch, {**standby(polls=1000), **held()})
    monkeypatch.setattr(recovering, "pid", lambda _instance: None)

    def ended(_self: t.Any, by_session: bool) -> bool:
        raise MirroringError("the server has ended")

    monkeypatch.setattr(promoting.Promotion, "_is_done", ended)
    with pytest.raises(MirroringError, match="has ended"):
        activate(tmp_path, held=True, inherited=INHERITED)
    assert os.listdir(tmp_path / "pg_wal") == []


def test_they_stay_where_a_promotion_goes_on_by_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given(monkeypatch, {**standby(polls=1000), **held()})
    with pytest.raises(MirroringError, match="replay stands at"):
        activate(tmp_path, held=True, inherited=INHERITED, timeout=0)
    assert sorted(os.listdir(tmp_path / "pg_wal")) == ["00000003.history", "00000004.history"]


@pytest.mark.parametrize(("line", "goes_on"), [(f"synchronous_standby_names = '{holding.HELD}'", True), ("", False)])
def test_a_standby_without_a_session_must_have_it_on_disk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str, goes_on: bool
) -> None:
    (tmp_path / "postgresql.auto.conf").write_text(line + "\n")
    assert holding.is_written(instance_in(tmp_path)) is goes_on

    def session(*_arguments: t.Any, **_options: t.Any) -> t.Any:
        raise MirroringError("no session with the server: it says why")

    monkeypatch.setattr(promoting.database, "session", session)
    monkeypatch.setattr(recovering, "state", lambda instance, run: recovering.RECOVERS)
    monkeypatch.setattr(answer, "ask", lambda instance: answer.Answer("28000", "words"))
    monkeypatch.setattr(backends, "clients", lambda postmaster: [])
    asked: list[str] = []
    monkeypatch.setattr(promoting.Promotion, "_promote", lambda self, slots: asked.append("promote") or [])
    work = promoting.Promotion(instance_in(tmp_path), t.cast("t.Any", None), 0.0, 1, hold=HOLD)
    if goes_on:
        assert work.promote([]) == []
    else:
        with pytest.raises(MirroringError, match="Nothing was changed"):
            work.promote([])
    assert asked == (["promote"] if goes_on else [])


def test_a_process_that_has_a_signal_before_it_has_not_read_the_setting() -> None:
    assert holding.has_read(None)
    assert not holding.has_read(1 << 30)


def record(name: str, number: int, timeline: int = 2) -> dict[str, str]:
    wish = ledger.Wish(number, ledger.ALONE, timeline, "", "smdw", 1795428856.0, 0, (), ("sdw1", "sdw2", "sdw3"))
    return {"record": ledger.render(ledger.Record("7712689664250374424", name, None, wish))}


def test_commits_go_on_by_consent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    values = iter([holding.HELD, holding.HELD])
    answers: Answers = {
        holding.GUARDED: [{"guarded": True}],
        holding.COMMITS: lambda: [{"value": next(values, ""), "timeline": 2, "reason": "", "granted": 8}],
        holding.RECORDS: [record("sdw1", 8), record("sdw2", 9), record("sdw3", 7), record("x", 9, 1), {"record": "{"}],
    }
    given(monkeypatch, answers)
    found = holding.commits(instance_in(tmp_path), True, 10)
    assert (found["held"], found["waits_for"], found["consented"]) == (False, "", ["sdw1", "sdw2"])


@pytest.mark.parametrize(("guarded", "reason"), [(True, "0 of 3 witnesses"), (False, "older than 1.2")])
def test_commits_that_go_on_waiting_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, guarded: bool, reason: str
) -> None:
    answers: Answers = {
        holding.GUARDED: [{"guarded": guarded}],
        holding.COMMITS: [{"value": holding.HELD, "timeline": 2, "reason": "0 of 3 witnesses", "granted": None}],
    }
    given(monkeypatch, answers)
    found = holding.commits(instance_in(tmp_path), True, 0)
    assert found["held"]
    assert reason in found["reason"]
    assert found["consented"] == []


def test_the_guard_means_the_same_setting() -> None:
    program = (Path(__file__).parents[2] / "roles/guard/files/hawq-mirroring-guard").read_text()
    name = holding.HELD.split('"')[1]
    assert f'NOBODY = "{name}"' in program
    assert f'ANY 1 ("{name}")' == holding.HELD
