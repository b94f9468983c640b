# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A session that lasts, with a server that may freeze or be cut off at any moment: no answer is waited for without end.

The guard of a master and the program of a witness use this file as well, as a copy beside them: it needs psycopg2 and
the standard library, and nothing else of this collection.

Sources: psycopg2 documentation, "Support for coroutine libraries" (what a wait callback does); PostgreSQL manual,
"Client Connection Defaults".
"""

from __future__ import annotations

import contextlib
import select
import time
import typing as t

try:
    import psycopg2
    import psycopg2.extensions

    HAS_PSYCOPG2 = True
    Error: t.Any = psycopg2.Error
except ImportError:
    HAS_PSYCOPG2 = False
    Error = ()

#: what somebody has set for all sessions must neither stop one of ours nor answer for the server, and its commits wait
#: for no standby: it is the session that tells when nobody needs to wait any more
OWN = {
    "idle_session_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "search_path": "pg_catalog",
    "synchronous_commit": "local",
    "default_transaction_read_only": "off",
    "default_transaction_isolation": r"read\ committed",
    "role": "none",
    "row_security": "on",
    "DateStyle": "ISO",
    "standard_conforming_strings": "on",
}
SETTINGS = {**OWN, "statement_timeout": "2s", "lock_timeout": "1s"}
#: from which version on there is a limit to transactions, which an older server refuses to be told of
TRANSACTION_TIMEOUT_SINCE = 170000
#: of a session that waits for no answer
IDLE = 0
#: when whatever is being waited for must be there
_deadline = [0.0]


class NoAnswerError(Exception):
    """The server has given no session, or no answer in time, or has refused; says why in one line."""


def _wait(connection: t.Any) -> None:
    """Wait for the server, and give up in time: psycopg2 would wait for ever."""
    while True:
        state = connection.poll()
        if state == psycopg2.extensions.POLL_OK:
            return
        left = _deadline[0] - time.monotonic()
        if left <= 0:
            raise NoAnswerError("no answer in time")
        reads = state == psycopg2.extensions.POLL_READ
        ready = select.poll()
        ready.register(connection.fileno(), select.POLLIN if reads else select.POLLOUT)
        ready.poll(left * 1000)


@contextlib.contextmanager
def _within(seconds: float) -> t.Iterator[None]:
    """Let nothing last longer; say what the server has said."""
    _deadline[0] = time.monotonic() + seconds
    try:
        yield
    except (psycopg2.Error, UnicodeError) as error:
        raise NoAnswerError(" ".join(str(error).split()) or type(error).__name__) from error


class Session:
    """A session in autocommit mode. Whoever gets NoAnswerError of it closes it and begins another one."""

    def __init__(self, words: dict[str, t.Any], seconds: float, settings: dict[str, str] | None = None) -> None:
        """Begin it, with these words of a connection string and these settings beside the own ones."""
        if not HAS_PSYCOPG2:
            raise NoAnswerError("Python's psycopg2 is missing on this host: install the package python3-psycopg2")
        psycopg2.extensions.set_wait_callback(_wait)
        told = " ".join(f"-c {name}={value}" for name, value in {**SETTINGS, **(settings or {})}.items())
        with _within(seconds):
            self._connection = psycopg2.connect(options=told, client_encoding="UTF8", **words)
            self._connection.autocommit = True
            self._cursor = self._connection.cursor()
            if self._connection.server_version >= TRANSACTION_TIMEOUT_SINCE:
                self._cursor.execute("SET transaction_timeout = 0")

    def rows(
        self, query: str, values: tuple[t.Any, ...] | None = None, seconds: float = 3.0
    ) -> list[tuple[t.Any, ...]]:
        """Return what the server answers; nothing where a statement has no rows."""
        with _within(seconds):
            self._cursor.execute(query, values)
            return self._cursor.fetchall() if self._cursor.description else []

    def is_usable(self) -> bool:
        """Whether it can be asked again: not while an answer is awaited, which would be that of the next one."""
        return not self._connection.closed and self._connection.info.transaction_status == IDLE

    def close(self) -> None:
        """End it, also in the middle of an answer."""
        with contextlib.suppress(psycopg2.Error, NoAnswerError):
            self._connection.close()
