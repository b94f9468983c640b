# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is seen of a host beside its server: what its start waits for, what was deleted on purpose, its settings."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import observe, observing, wal_held
from ansible_collections.hawq.mirroring.plugins.module_utils.host import removed_mark, systemd
from ansible_collections.hawq.mirroring.plugins.module_utils.values import places
from observations import control
from sessions import instance_in

UNITS: dict[str, tuple[str, str, str | None]] = {
    "waits": ("activating", "waits for smdw: no answer", "waits for smdw: no answer"),
    "says nothing": ("activating", "", None),
    "runs": ("active", "waits for smdw: no answer", None),
    "has failed": ("failed", "waits for smdw: no answer", None),
}


@pytest.mark.parametrize(("active", "status", "waits"), UNITS.values(), ids=UNITS)
def test_what_a_start_waits_for(active: str, status: str, waits: str | None) -> None:
    def run(command: list[str], timeout: float) -> tuple[int, str, str]:
        assert "StatusText" in command[-1]
        return 0, f"LoadState=loaded\nActiveState={active}\nStatusText={status}\n", ""

    assert systemd.unit(t.cast("t.Any", run), "hawq-master.service")["waits_for"] == waits


def test_all_that_is_run_before_a_start() -> None:
    """Each command has a line of its own, and the interlock need not be the last one."""

    def run(command: list[str], timeout: float) -> tuple[int, str, str]:
        assert command[:3] == ["systemctl", "show", "db"]
        return 0, "ExecStartPre={ path=/one ; ignore_errors=no }\nExecStartPre={ path=/two }\nLoadState=loaded\n", ""

    seen = systemd.unit(t.cast("t.Any", run), "db")
    assert (seen["before"], seen["load"]) == ("{ path=/one ; ignore_errors=no }\n{ path=/two }", "loaded")


MARKS: dict[str, tuple[str, bool]] = {
    "this one": ('{"data_directory": "{}"}', True),
    "with a slash": ('{"data_directory": "{}/"}', True),
    "another one": ('{"data_directory": "/data/other"}', False),
    "no object": ("[1]", False),
    "of no use": ("{", False),
}


@pytest.mark.parametrize(("text", "removed"), MARKS.values(), ids=MARKS)
@pytest.mark.parametrize("state", ["missing", "empty", "data", "other"])
def test_what_was_deleted_on_purpose(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, removed: bool, state: str
) -> None:
    data, mark = tmp_path / "data", tmp_path / "removed.json"
    mark.write_text(text.replace("{}", str(data)) if len(text) > 2 else text)
    mark.chmod(0o644)
    monkeypatch.setattr(places, "removed", lambda _unit: str(mark))
    if state != "missing":
        data.mkdir()
    if state in ("data", "other"):
        (data / ("PG_VERSION" if state == "data" else "thesis.tex")).touch()
    seen = observe.data_directory(instance_in(data), False)
    assert seen["state"] == state
    assert (seen["owner"] is None) == (state == "missing")
    assert seen["removed_on_purpose"] == (removed and state in ("missing", "empty"))


def test_only_root_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mark = tmp_path / "removed.json"
    monkeypatch.setattr(places, "removed", lambda _unit: str(mark))
    assert not removed_mark.is_set("/data", "db.service")
    mark.write_text(json.dumps({"data_directory": "/data"}))
    mark.chmod(0o666)
    assert not removed_mark.is_set("/data", "db.service")
    mark.chmod(0o644)
    assert removed_mark.is_set("/data", "db.service")
    os.chown(mark, 65534, 65534)
    assert not removed_mark.is_set("/data", "db.service")


@pytest.mark.parametrize(
    ("session", "exists", "asked"), [(False, True, True), (True, True, False), (False, False, False)]
)
def test_what_a_server_would_be_started_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, session: bool, exists: bool, asked: bool
) -> None:
    if exists:
        (tmp_path / "postgresql.conf").touch()
    monkeypatch.setattr(observe.os, "access", lambda _path, _mode: True)

    def run(command: list[str], timeout: float) -> tuple[int, str, str]:
        assert command[3:] == ["-D", str(tmp_path)]
        return (1, "", "no such setting") if command[2] == "max_wal_senders" else (0, "LOG: something\n200\n", "")

    found = observe.configuration(instance_in(tmp_path), t.cast("t.Any", run), session)
    names = {"max_connections", "max_worker_processes", "max_prepared_transactions", "max_locks_per_transaction"}
    assert found["at_least"] == (dict.fromkeys(names, "200") if asked else {})


@pytest.mark.parametrize(
    ("state", "fenced", "read"),
    [
        ("in archive recovery", False, True),
        ("in production", False, False),
        ("in production", True, True),
        (None, False, False),
        (None, True, False),
    ],
)
def test_of_a_standby_and_a_fenced_master_the_end_of_wal_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state: str | None, fenced: bool, read: bool
) -> None:
    monkeypatch.setattr(wal_held, "end", lambda *_arguments: "0/4000000")
    told = t.cast("t.Any", control(state) if state else None)
    found = observing._wal_end(instance_in(tmp_path), t.cast("t.Any", None), told, {}, fenced)
    assert found == ("0/4000000" if read else None)


@pytest.mark.parametrize(
    ("text", "auto", "found"),
    [
        ("", "", {}),
        ("hot_standby = on", "", {}),
        ("hot_standby = off", "", {"hot_standby": "on"}),
        ("hot_standby = 'False'", "", {"hot_standby": "on"}),
        ("hot_standby = off", "hot_standby = 'on'", {}),
        ("", "hot_standby = '0'", {"hot_standby": "on"}),
    ],
)
def test_what_keeps_a_standby_from_giving_sessions(tmp_path: Path, text: str, auto: str, found: dict[str, str]) -> None:
    instance = instance_in(tmp_path)
    (tmp_path / "postgresql.conf").write_text(f"{text}\n")
    (tmp_path / "postgresql.auto.conf").write_text(f"{auto}\n")
    assert observe.configuration(instance, t.cast("t.Any", None), True)["harmful"] == {}
    failing = t.cast("t.Any", lambda *_arguments, **_options: (1, "", ""))
    assert observe.configuration(instance, failing, False)["harmful"] == found
