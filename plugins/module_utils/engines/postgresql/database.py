# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sessions with the host's own server, over its socket as the user that owns it (peer authentication).

Source: PostgreSQL manual, "Peer Authentication".
"""

from __future__ import annotations

import codecs
import contextlib
import os
import typing as t

from ...host import files
from ...host.errors import MirroringError
from ...host.module import Instance
from ...values import conninfo, control_data

try:
    import psycopg2
    import psycopg2.extras

    HAS_PSYCOPG2 = True
    Error: t.Any = psycopg2.Error
    psycopg2.extensions.encodings.update(SQL_ASCII="utf8_any_bytes", SQLASCII="utf8_any_bytes")
except ImportError:
    HAS_PSYCOPG2 = False
    Error = ()

#: the encoding in which the server converts nothing: names of any bytes come as they are, and become texts here
ANY_BYTES = "SQL_ASCII"
CONNECT_SECONDS = 5
STATEMENT_SECONDS = 30
#: what somebody may have set for all sessions, for the user or for the database, and what would stop ours: a standby
#: gives no serializable session, and a master that is read-only by default could not be equipped
OWN_SETTINGS = {
    "lock_timeout": "10s",
    "idle_session_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "search_path": "pg_catalog",
    "synchronous_commit": "local",
    "default_transaction_read_only": "off",
    "default_transaction_isolation": r"read\ committed",
    "role": "none",
}


def _any_bytes(name: str) -> codecs.CodecInfo | None:
    """Return the codec of such texts: UTF-8, in which other bytes survive."""
    if name.replace("-", "_") != "utf8_any_bytes":
        return None
    return codecs.CodecInfo(
        lambda text, _errors="": codecs.utf_8_encode(text, "surrogateescape"),
        lambda content, _errors="": codecs.utf_8_decode(content, "surrogateescape", True),
    )


codecs.register(_any_bytes)


def postmaster(instance: Instance) -> dict[str, t.Any]:
    """Return what postmaster.pid says, or nothing when there is none."""
    try:
        return control_data.parse_postmaster_pid(
            files.read(os.path.join(instance.data_directory, "postmaster.pid")) or ""
        )
    except OSError:
        return {}


def _words(error: Exception) -> str:
    """Return what a server has said, as one line; before a session begins, psycopg2 gives up at other bytes."""
    said = error.object.decode(errors="surrogateescape") if isinstance(error, UnicodeDecodeError) else str(error)
    return " ".join(said.split())


@contextlib.contextmanager
def _cursor(connection: t.Any, who: str) -> t.Iterator[t.Any]:
    """Give a cursor (rows as dicts) in autocommit mode, and close the connection afterwards."""
    try:
        connection.autocommit = True
        with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            yield cursor
    except psycopg2.Error as error:
        raise MirroringError(f"{who} answered: {_words(error)}") from error
    finally:
        connection.close()


@contextlib.contextmanager
def _database_of_any_bytes(name: str) -> t.Iterator[None]:
    """Let libpq read the database's name from where Python can put any bytes; a connection string must be UTF-8."""
    os.environ["PGDATABASE"] = name
    try:
        yield
    finally:
        del os.environ["PGDATABASE"]


def _options(wanted: dict[str, str]) -> str:
    """Return the options of a session: they outrank what stands in files, at roles and at databases."""
    return " ".join(f"-c {name}={value}" for name, value in wanted.items())


@contextlib.contextmanager
def session(
    instance: Instance, database: str = "postgres", statement_seconds: int = STATEMENT_SECONDS
) -> t.Iterator[t.Any]:
    """Give a cursor (rows as dicts) in autocommit mode; raise MirroringError when there is no connection."""
    if not HAS_PSYCOPG2:
        raise MirroringError("Python's psycopg2 is missing on this host: install the package python3-psycopg2")
    place = postmaster(instance)
    directory = place.get("socket_directory") or "/var/run/postgresql"
    try:
        with _database_of_any_bytes(database):
            connection = psycopg2.connect(
                host=directory,
                port=place.get("port", instance.port),
                user=instance.user,
                connect_timeout=CONNECT_SECONDS,
                application_name="hawq_mirroring",
                client_encoding=ANY_BYTES,
                options=_options({**OWN_SETTINGS, "statement_timeout": f"{statement_seconds}s"}),
            )
    except (psycopg2.OperationalError, UnicodeError) as error:
        raise MirroringError(f"no session with the server in {directory}: {_words(error)}") from error
    with _cursor(connection, "the server") as cursor:
        yield cursor


@contextlib.contextmanager
def remote(keywords: dict[str, t.Any], *ours: dict[str, t.Any]) -> t.Iterator[t.Any]:
    """Give a cursor on another host's server; raise MirroringError when there is none."""
    if not HAS_PSYCOPG2:
        raise MirroringError("Python's psycopg2 is missing on this host: install the package python3-psycopg2")
    try:
        told = conninfo.allowed(keywords, *ours, {"connect_timeout": CONNECT_SECONDS, "client_encoding": ANY_BYTES})
        connection = psycopg2.connect(conninfo.render(told))
    except (psycopg2.OperationalError, UnicodeError) as error:
        raise MirroringError(f"no session with {keywords['host']}: {_words(error)}") from error
    with _cursor(connection, keywords["host"]) as cursor:
        yield cursor


def replication_answer(told: str) -> str:
    """Open a replication connection; return "accepted", or what came instead."""
    if not HAS_PSYCOPG2:
        return "not asked: Python's psycopg2 is missing on this host"
    try:
        psycopg2.connect(told, connection_factory=psycopg2.extras.PhysicalReplicationConnection).close()
    except (psycopg2.Error, UnicodeError) as error:
        return _words(error)
    return "accepted"


def rows(cursor: t.Any, query: str, parameters: t.Any = None) -> list[dict[str, t.Any]]:
    """Run a query and return its rows as plain dicts."""
    cursor.execute(query, parameters)
    return [dict(row) for row in cursor.fetchall()]
