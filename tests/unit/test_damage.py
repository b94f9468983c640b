# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How it is recognised that a server says that its data is damaged: in a session, at a login, in its log."""

from __future__ import annotations

import typing as t
from pathlib import Path

import psycopg2
import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import answer, damage
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner
from sessions import instance_in, root_offers

LOGIN = 'connection to server on socket "/tmp/.s.PGSQL.5432" failed: FATAL:  '
PAGE = "invalid page in block 20 of relation base/5/1255"
AT = "2026-11-27 08:13:15.057 UTC [3858] "
#: as PostgreSQL 15 and 18 print them
TEXTS: dict[str, tuple[str, str | None]] = {
    "a page, at a login": (f"{LOGIN}{PAGE}\n", PAGE),
    "a page, in a query": (f"{PAGE}\nLINE 5: extract(epoch FROM pg_postmaster_start_time())::float...\n   ^\n", PAGE),
    "a page, while it replays": (f"{AT}FATAL:  {PAGE}", PAGE),
    "a page, with its context": (f"{AT}FATAL:  {PAGE} CONTEXT:  WAL redo at 0/401F4E8 for Heap2/PRUNE", PAGE),
    "a checksum": (
        f"{AT}WARNING:  page verification failed, calculated checksum 10614 but expected 32299",
        "page verification failed, calculated checksum 10614 but expected 32299",
    ),
    "a map": (
        f'{LOGIN}relation mapping file "base/5/pg_filenode.map" contains incorrect checksum',
        'relation mapping file "base/5/pg_filenode.map" contains incorrect checksum',
    ),
    "a short file": (
        'could not read block 3 in file "base/5/1255": read only 0 of 8192 bytes',
        'could not read block 3 in file "base/5/1255": read only 0 of 8192 bytes',
    ),
    "a copy whose WAL is lost": (
        f"{AT}FATAL:  WAL ends before consistent recovery point",
        "WAL ends before consistent recovery point",
    ),
    "no session is free": (f"{LOGIN}sorry, too many clients already", None),
    "not consistent yet": (f"{LOGIN}the database system is not yet accepting connections", None),
    "a lock": ("canceling statement due to lock timeout", None),
    "no server": ('connection to server on socket "/tmp/.s.PGSQL.5432" failed: Connection refused', None),
}


@pytest.mark.parametrize(("text", "told"), TEXTS.values(), ids=TEXTS)
def test_words(text: str, told: str | None) -> None:
    assert damage.in_text(text) == told


class Coded(psycopg2.Error):
    """An error with the code that the server gave it."""

    def __init__(self, code: str | None, text: str) -> None:
        super().__init__(text)
        self.code = code

    @property
    def pgcode(self) -> str | None:  # type: ignore[override]
        return self.code


def error(code: str | None, text: str) -> MirroringError:
    """What comes out of a session."""
    found = MirroringError(f"the server answered: {text}")
    found.__cause__ = Coded(code, text)
    return found


ERRORS: dict[str, tuple[MirroringError, str | None]] = {
    "damaged data": (error("XX001", f"{PAGE}\n"), PAGE),
    "a damaged index, in another language": (
        error("XX002", "Index ist beschädigt\nTIP:  REINDEX\n"),
        "Index ist beschädigt TIP: REINDEX",
    ),
    "a login, which has no code": (error(None, f"{LOGIN}{PAGE}\n"), PAGE),
    "something else": (error("42P01", 'relation "t" does not exist'), None),
    "no answer": (MirroringError("Python's psycopg2 is missing on this host"), None),
}


@pytest.mark.parametrize(("raised", "told"), ERRORS.values(), ids=ERRORS)
def test_errors(raised: MirroringError, told: str | None) -> None:
    assert damage.told(raised) == told


GERMAN = "ungültige Seite in Block 0 von Relation base/5/1255"
ANSWERS: dict[str, tuple[str, answer.Answer | None, str | None]] = {
    "damaged, in another language": (f"FATAL:  {GERMAN}\n", answer.Answer("XX001", GERMAN), GERMAN),
    "full, in another language": ("FATAL:  schon zu viele Verbindungen\n", answer.Answer("53300", "zu viele"), None),
    "nothing any more": (f"FATAL:  {GERMAN}\n", None, None),
    "not asked again where nobody answered": ("timeout expired", answer.Answer("XX001", "x"), None),
}


@pytest.mark.parametrize(("text", "said", "told"), ANSWERS.values(), ids=ANSWERS)
def test_the_answer_to_a_login_has_a_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, said: answer.Answer | None, told: str | None
) -> None:
    monkeypatch.setattr(answer, "ask", lambda _instance: said)
    assert damage.of_server(instance_in(tmp_path), error(None, text)) == told


ENDED = ["LOG:  shutting down due to startup process failure", "hawq-master.service: Failed with result 'exit-code'."]
STARTED = "Started hawq-master.service - Database server of a master host (/data/hawq/master)."
LOGS: dict[str, tuple[list[str], str | None]] = {
    "its own end": (
        [
            STARTED,
            f"{AT}WARNING:  page verification failed, calculated checksum 1 but expected 2",
            f"{AT}FATAL:  {PAGE}",
        ],
        PAGE,
    ),
    "of an earlier start": ([f"{AT}FATAL:  {PAGE}", STARTED, f"{AT}FATAL:  could not bind"], None),
    "the end of the WAL is no damage": (
        [STARTED, f"{AT}LOG:  incorrect resource manager data checksum in record at 0/4"],
        None,
    ),
    "nothing": ([], None),
}


@pytest.mark.parametrize(("lines", "told"), LOGS.values(), ids=LOGS)
def test_log(monkeypatch: pytest.MonkeyPatch, tmp_path: t.Any, lines: list[str], told: str | None) -> None:
    asked = []

    def run(command: list[str], _timeout: float) -> tuple[int, str, str]:
        asked.append(command)
        return 0, "\n".join([*lines, *ENDED]), ""

    root_offers(monkeypatch, run=run)
    assert damage.in_log(instance_in(tmp_path), Runner()) == told
    assert asked == [["journalctl", "--unit", "hawq-master.service", "-n", "20", "-o", "cat"]]
