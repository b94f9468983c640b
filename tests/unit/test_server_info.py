# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a server says of itself, and what becomes of an observation when it cannot say all of it."""

from __future__ import annotations

import typing as t
from pathlib import Path

import psycopg2
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import database, replay, server_info
from observations import SETTINGS
from sessions import Answers, given, instance_in

FOUND = [{"name": name, "setting": value, "pending_restart": False} for name, value in SETTINGS.items()]
WHOLE: Answers = {
    server_info.SETTINGS_QUERY: [
        *FOUND,
        *(
            {"name": name, "setting": "", "pending_restart": False}
            for name in server_info.SETTINGS
            if name not in SETTINGS
        ),
    ],
    server_info.SESSIONS: [{"free": 58, "clients": 42}],
    server_info.WAL: [{"oldest": "0000000000000001", "bytes": 64 << 20}],
    server_info.HBA_RULES: [{"digest": "d41d8cd9", "errors": [], "clients": True}],
    server_info.STANDBYS: [{"name": "smdw"}],
    server_info.MASTER_NAME: [{"name": "mdw"}],
    server_info.VIEW_EXISTS: [{"there": True}],
    server_info.VIEW: [{"summary_state": "Synchronized"}],
}
BLOCKER = {"pid": 4711, "user": "app", "name": "reporting", "open_seconds": 3.0}
WAITING: Answers = {
    replay.WAITS: [{"pid": 277, "kind": "Lock", "event": "relation"}],
    replay.BLOCKERS: [BLOCKER],
}


class LockTimeoutError(psycopg2.Error):
    """A lock was not to be had."""

    pgcode = server_info.LOCK_NOT_AVAILABLE


class SyntaxTroubleError(psycopg2.Error):
    """Something else."""

    pgcode = "42601"


def raising(error: type[psycopg2.Error]) -> t.Callable[[], list[dict[str, t.Any]]]:
    def answer() -> list[dict[str, t.Any]]:
        raise error("no")

    return answer


def gathered(monkeypatch: pytest.MonkeyPatch, place: Path, standby: bool, answers: Answers) -> t.Any:
    given(monkeypatch, {**WHOLE, server_info.GENERAL: [{"standby": standby}], **answers})
    return server_info.gather(instance_in(place), False, True)


def test_a_master_does_not_replay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found, error, damaged = gathered(monkeypatch, tmp_path, False, WAITING)
    assert (error, damaged) == (None, None)
    assert (found["replay_blocked"], found["blockers"]) == (False, [])
    assert (found["sessions_free"], found["clients"]) == (58, 42)


def test_what_the_replay_of_a_standby_waits_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found, _error, _damaged = gathered(monkeypatch, tmp_path, True, WAITING)
    assert (found["replay_blocked"], found["blockers"]) == (True, [BLOCKER])
    found, _error, _damaged = gathered(monkeypatch, tmp_path, True, {})
    assert (found["replay_blocked"], found["blockers"]) == (False, [])


LOCKABLE = (
    server_info.TABLESPACES,
    server_info.STANDBYS,
    server_info.HBA_RULES,
    server_info.REWIND_ROLES,
    server_info.MASTER_NAME,
    server_info.VIEW_EXISTS,
    server_info.VIEW,
    server_info.MIRRORS,
    server_info.SEGMENTS,
)


def test_a_lock_of_the_replay_hides_what_is_behind_it_and_no_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    locked: Answers = dict.fromkeys(LOCKABLE, raising(LockTimeoutError))
    found, error, _damaged = gathered(monkeypatch, tmp_path, True, {**locked, **WAITING})
    assert error is None
    assert found["replay_blocked"]
    assert found["standbys"] == found["tablespaces"] == found["rewind_roles"] == []
    assert (found["access_rules"], found["master_name"], found["mirroring"]) == (None, None, None)
    hidden = {server_info.VIEW: raising(LockTimeoutError), server_info.SEGMENTS: raising(LockTimeoutError)}
    found, _error, _damaged = gathered(monkeypatch, tmp_path, True, hidden)
    assert (found["standbys"], found["mirroring"], found["segments"]) == (["smdw"], None, [])


class MissingError(psycopg2.Error):
    pgcode = "58P01"


def test_without_its_access_file_a_server_is_asked_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for standby in (False, True):
        found, error, _damaged = gathered(
            monkeypatch, tmp_path, standby, {server_info.HBA_RULES: raising(MissingError), **WAITING}
        )
        assert (error, found["access_rules"], found["configuration_errors"]) == (None, None, [])
        assert found["lets_clients_in"] is None


def test_an_error_in_the_access_file_is_one_of_the_configuration(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = [
        {
            "digest": "d41d8cd9",
            "errors": ['/data/pg_hba.conf line 7: invalid authentication method "nosuch"'],
            "clients": False,
        }
    ]
    found, _error, _damaged = gathered(monkeypatch, tmp_path, False, {server_info.HBA_RULES: told, **WAITING})
    assert found["configuration_errors"] == told[0]["errors"]


@pytest.mark.parametrize(("standby", "trouble"), [(False, LockTimeoutError), (True, SyntaxTroubleError)])
def test_of_a_master_and_of_any_other_error_nothing_is_hidden(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, standby: bool, trouble: type[psycopg2.Error]
) -> None:
    with pytest.raises(trouble):  # which the session itself makes an error of
        gathered(monkeypatch, tmp_path, standby, {server_info.TABLESPACES: raising(trouble)})


def test_locks_are_not_waited_for_on_a_standby(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for standby in (True, False):
        cursor = given(monkeypatch, {**WHOLE, server_info.GENERAL: [{"standby": standby}]})
        server_info.gather(instance_in(tmp_path), False, True)
        assert ("SET lock_timeout = 500" in cursor.told) is standby


def test_a_server_that_does_not_run_is_not_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delattr(database, "session")
    assert server_info.gather(instance_in(tmp_path), False, False) == (None, "the server is not running", None)
