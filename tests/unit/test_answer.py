# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a server says instead of a session, by its code."""

from __future__ import annotations

import socket
import struct
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import answer, database
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from sessions import instance_in


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


FATAL = message(b"E", b"SFATAL\0C53300\0MZu viele\nVerbindungen\0DEinzelheiten\0\0")
WELCOME = message(b"R", b"\0\0\0\0")


@pytest.mark.parametrize(
    ("says", "found"),
    [
        pytest.param([FATAL], answer.Answer("53300", "Zu viele Verbindungen: Einzelheiten"), id="at-once"),
        pytest.param(
            [WELCOME, message(b"S", b"a\0b\0"), FATAL[:7], FATAL[7:]],
            answer.Answer("53300", "Zu viele Verbindungen: Einzelheiten"),
            id="later-and-in-pieces",
        ),
        pytest.param([WELCOME, message(b"Z", b"I")], None, id="a-session"),
        pytest.param([message(b"R", b"\0\0\0\x05salt")], None, id="a-password-is-asked-for"),
        pytest.param([b"E"], None, id="it-ends-in-the-middle"),
        pytest.param([b"E\xff\xff\xff\xff"], None, id="no-message-is-so-long"),
        pytest.param([b""], None, id="nothing"),
    ],
)
def test_what_comes_instead_of_a_session(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: list[bytes], found: answer.Answer | None
) -> None:
    monkeypatch.setattr(database, "postmaster", lambda instance: {"socket_directory": str(tmp_path), "port": 5433})
    got: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / ".s.PGSQL.5433"))
        server.listen()

        def serve() -> None:
            line, _address = server.accept()
            with line:
                got.append(line.recv(1000))
                for piece in says:
                    line.sendall(piece)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        assert answer.ask(instance_in(tmp_path)) == found
        thread.join(timeout=10)
    assert got[0][4:8] == struct.pack("!I", 196608)
    assert b"user\0root\0database\0postgres\0" in got[0]


def test_nobody_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for place in ({}, {"socket_directory": str(tmp_path)}):
        monkeypatch.setattr(database, "postmaster", lambda instance, place=place: place)
        assert answer.ask(instance_in(tmp_path)) is None


def test_a_statement_that_failed_has_its_own_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class DamagedError(Exception):
        pgcode = "XX001"

    monkeypatch.setattr(answer, "ask", lambda instance: t.cast("answer.Answer", pytest.fail("it was asked")))
    error = MirroringError("the server answered: invalid page in block 7")
    error.__cause__ = DamagedError()
    assert answer.of(instance_in(tmp_path), error) == answer.Answer("XX001", str(error))
