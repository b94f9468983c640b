# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What our sessions set for themselves, and which values of a standby's settings are enough."""

from __future__ import annotations

import contextlib
import typing as t

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import (
    database,
    in_place,
    recovery_settings,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.values import conninfo
from programs import SEGMENT, VIRTUAL_IP, loaded


@pytest.mark.parametrize(
    "told",
    [
        "default_transaction_read_only=off",
        r"default_transaction_isolation=read\ committed",
        "idle_session_timeout=0",
        "statement_timeout=30s",
        "role=none",
    ],
)
def test_what_was_set_for_all_sessions_does_not_stop_ours(told: str) -> None:
    assert f"-c {told}" in database._options({**database.OWN_SETTINGS, "statement_timeout": "30s"})


class Server:
    """A server that is told how a session is opened, and what it is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, version: int) -> None:
        self.told: dict[str, t.Any] = {}
        self.asked: list[str] = []
        self.server_version, self.autocommit = version, False
        monkeypatch.setattr(database.psycopg2, "connect", self.connect)

    def connect(self, *words: str, **keywords: t.Any) -> Server:
        self.told = {**keywords, **(conninfo.parse(words[0]) if words else {})}
        return self

    def cursor(self, **_kind: t.Any) -> t.Any:
        return contextlib.nullcontext(self)

    def execute(self, statement: str) -> None:
        self.asked.append(statement)

    def close(self) -> None:
        pass


#: what is set for everybody and must not count, with the value that a session of ours has
EVERYWHERE = {
    "idle_session_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "lock_timeout": "10s",
    "default_transaction_read_only": "off",
    "search_path": "pg_catalog",
    "role": "none",
    "standard_conforming_strings": "on",
}


@pytest.mark.parametrize("version", [150016, 170002])
def test_sessions_with_another_host_set_the_same(monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    server = Server(monkeypatch, version)
    with database.remote({"host": "mdw", "user": "rewind"}, in_place.READER):
        pass
    for name, value in {**EVERYWHERE, "statement_timeout": "0", "tcp_user_timeout": "10000"}.items():
        assert f"-c {name}={value}" in server.told["options"]
    assert "lc_messages" not in server.told["options"]  # the role may not
    assert server.asked == (["SET transaction_timeout = 0"] if version > 160000 else [])


def test_programs_that_get_wal_are_not_ended_by_what_was_set() -> None:
    for options in (conninfo.JOB["options"], in_place.READER["options"], conninfo.ASKING["options"]):
        assert "-c idle_session_timeout=0" in str(options)
    assert "-c wal_sender_timeout=60s" in str(conninfo.JOB["options"])


def test_who_holds_the_address_is_answered_whatever_was_set() -> None:
    """A standby gives no serializable session, and the server would log that at each question."""
    told = dict(each.split("=", 1) for each in loaded(VIRTUAL_IP).SESSION)
    assert told.items() >= {
        ("statement_timeout", "5s"),
        ("idle_session_timeout", "0"),
        ("search_path", "pg_catalog"),
        ("default_transaction_isolation", r"read\ committed"),
        ("role", "none"),
    }


def test_a_segment_registers_whatever_was_set() -> None:
    assert EVERYWHERE.items() - {("lock_timeout", "10s")} <= loaded(SEGMENT).OPTIONS.items()


@pytest.mark.parametrize(
    ("name", "has", "wanted", "enough"),
    [
        ("max_connections", "200", "100", True),
        ("max_connections", "50", "100", False),
        ("recovery_min_apply_delay", "600000", "0", False),
        ("recovery_min_apply_delay", "0", "0", True),
        ("recovery_target_time", "2026-11-27", "", False),
        ("recovery_target_timeline", "latest", "latest", True),
    ],
)
def test_what_is_enough(name: str, has: str, wanted: str, enough: bool) -> None:
    assert recovery_settings.suffices(name, has, wanted) is enough
