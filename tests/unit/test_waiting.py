# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Telling a guard that a standby stops or is there again, and what it must have said before the run goes on."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import server_info, waiting
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from sessions import given, instance_in

UNIT = "hawq-mirroring-guard-hawq-master.service"
GUARD = {"mode": "synchronous", "state": "SYNCHRONOUS", "reason": "all is well", "released": []}


def seen(names: list[str], waits: bool = False, summary: str = "Synchronized", **guard: t.Any) -> waiting.Seen:
    return waiting.Seen({**GUARD, **guard}, names, waits, summary, "")


RELEASED: dict[str, tuple[waiting.Seen, bool]] = {
    "commits still wait for it": (seen(["smdw"], released=["smdw"]), False),
    "nobody waits, and the guard knows": (seen([], state="ALONE", released=["smdw"]), True),
    "one waits until the server is told": (seen([], True, released=["smdw"]), False),
    "the guard could arm any moment": (seen([], state="ALONE"), False),
    "another one is waited for": (seen(["sdw1"], True, released=["smdw"]), True),
    "the mode is asynchronous": (seen([], mode="asynchronous"), True),
    "there was never a guard": (waiting.Seen({}, [], False, "", ""), True),
}


@pytest.mark.parametrize(("found", "expected"), RELEASED.values(), ids=RELEASED)
def test_when_a_standby_may_stop(found: waiting.Seen, expected: bool) -> None:
    assert waiting.is_released(found, "smdw") is expected


CONFIRMED: dict[str, tuple[waiting.Seen, str, bool]] = {
    "they wait": (seen(["smdw"]), "synchronous", True),
    "the guard has not read the new mode yet": (seen(["smdw"]), "strict", False),
    "it arms": (seen(["smdw"], state="ARMING"), "synchronous", False),
    "they wait for another one": (seen(["sdw1"]), "synchronous", False),
    "clients are told something else": (seen(["smdw"], summary="Synchronizing"), "synchronous", False),
    "asynchronous again": (seen([], mode="asynchronous", state="ALONE"), "asynchronous", True),
    "asynchronous soon": (seen(["smdw"], mode="asynchronous", state="ALONE"), "asynchronous", False),
    "it says nothing": (waiting.Seen({}, [], False, "Synchronized", ""), "synchronous", False),
}


@pytest.mark.parametrize(("found", "mode", "expected"), CONFIRMED.values(), ids=CONFIRMED)
def test_when_commits_wait_as_told(found: waiting.Seen, mode: str, expected: bool) -> None:
    assert waiting.is_confirmed(found, "smdw", mode) is expected


def answers(value: str, is_released: bool = False, there: bool = True, **guard: t.Any) -> t.Any:
    row = {"guard": json.dumps({**GUARD, **guard}), "value": value, "waits": False, "summary": "Synchronized"}
    return {
        server_info.GUARD_EXISTS: [{"there": there}],
        waiting.IS_RELEASED: [{}] if is_released else [],
        waiting.LOOK: [{**row, "reason": None}],
    }


def tell(tmp_path: Path, state: str, act: bool = True, mode: str = "synchronous") -> dict[str, t.Any]:
    return waiting.tell(instance_in(tmp_path), act, state=state, standby="smdw", mode=mode, unit=UNIT, timeout=0)


def test_it_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cursor = given(monkeypatch, answers("", released=["smdw"]))
    assert tell(tmp_path, "released")["changed"] is True
    assert cursor.told == ["SELECT public.hawq_mirroring_release(smdw)"]
    cursor = given(monkeypatch, answers("", is_released=True, released=["smdw"]))
    assert (tell(tmp_path, "released")["changed"], cursor.told) == (False, [])
    assert tell(tmp_path, "again")["changed"] is True
    assert cursor.told == ["SELECT public.hawq_mirroring_wait_again(smdw)"]


def test_a_check_tells_nothing_and_waits_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cursor = given(monkeypatch, answers('ANY 1 ("smdw")'))
    assert tell(tmp_path, "released", act=False)["changed"] is True
    assert tell(tmp_path, "confirmed", act=False, mode="strict")["names"] == ["smdw"]
    assert cursor.told == []


def test_what_has_not_come_is_told_with_what_the_guard_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting.time, "sleep", lambda _seconds: None)
    given(monkeypatch, answers('ANY 1 ("smdw")', state="DEGRADING", reason="1 of 3 witnesses have granted wish 7"))
    with pytest.raises(MirroringError, match=r"commits still wait for smdw .*DEGRADING: 1 of 3 witnesses .*" + UNIT):
        tell(tmp_path, "released")
    with pytest.raises(MirroringError, match="commits wait for smdw, and no majority of the witnesses knows it"):
        tell(tmp_path, "confirmed")
    with pytest.raises(MirroringError, match="its mode is still synchronous"):
        tell(tmp_path, "confirmed", mode="strict")


def test_a_server_without_a_guard_is_told_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cursor = given(monkeypatch, answers("", there=False))
    assert tell(tmp_path, "released") == {"changed": False, "names": [], "waited": 0.0}
    assert cursor.told == []
    with pytest.raises(MirroringError, match=r"older than 1\.2"):
        tell(tmp_path, "confirmed")
