# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sessions with the host's own server, over its socket as the user that owns it (peer authentication).

Source: PostgreSQL manual, "Peer Authentication".
"""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
import typing as t

from ...host import files
from ...host.errors import MirroringError
from ...host.module import Instance
from ...values import conninfo, control_data
from .. import table
from . import bounded_session

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
#: where sessions go: some have dropped or renamed the first, or let nobody into it
DATABASES = ("postgres", "template1")
#: the one that packages of the distribution are for
SYSTEMS_PYTHON = "/usr/bin/python3"
CONNECT_SECONDS = 5
STATEMENT_SECONDS = 30
#: what somebody may have set for all sessions, for the user or for the database, and what would stop ours: a standby
#: gives no serializable session, and a master that is read-only by default could not be equipped
OWN_SETTINGS = {
    **bounded_session.OWN,
    "lock_timeout": "10s",
    "default_tablespace": "",
    "default_table_access_method": "heap",
}
UNLOGGED = "SELECT set_config('log_statement', 'none', false), set_config('log_min_duration_statement', '-1', false)"
#: and what only a superuser may set for itself: errors are read here
SUPERUSERS_SETTINGS = {"lc_messages": "C"}
#: from which version on there is a limit to transactions
TRANSACTION_TIMEOUT_SINCE = 170000
#: from which major version on event triggers can be turned off, and may act when somebody logs in
EVENT_TRIGGERS_OFF_SINCE = 17


def _any_bytes(name: str) -> codecs.CodecInfo | None:
    """Return the codec of such texts: UTF-8, in which other bytes survive."""
    if name.replace("-", "_") != "utf8_any_bytes":
        return None
    return codecs.CodecInfo(
        lambda text, _errors="": codecs.utf_8_encode(text, "surrogateescape"),
        lambda content, _errors="": codecs.utf_8_decode(content, "surrogateescape", True),
    )


codecs.register(_any_bytes)


ALL = "SELECT datname AS name FROM pg_database WHERE datallowconn ORDER BY datname"
CURRENT = "SELECT quote_ident(current_database()) AS name"


def other_python() -> str | None:
    """Return the Python that runs this, where it is another one than the system's, for which packages are."""
    venv = sys.prefix != sys.base_prefix
    same = os.path.realpath(sys.executable) == os.path.realpath(SYSTEMS_PYTHON)
    return sys.executable if venv or not same else None


def missing_library() -> str:
    """Return what helps where psycopg2 is missing."""
    if other_python():
        return f"set ansible_python_interpreter: {SYSTEMS_PYTHON} in the inventory, or give it to {sys.executable}"
    return "install the package python3-psycopg2"


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
            if connection.server_version >= TRANSACTION_TIMEOUT_SINCE:  # an older server refuses to be told
                cursor.execute("SET transaction_timeout = 0")
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


def major(data_directory: str) -> str | None:
    """Return the major version of the data."""
    return (files.text_of(os.path.join(data_directory, "PG_VERSION")) or "").strip() or None


def _without_event_triggers(instance: Instance) -> dict[str, str]:
    """Return what keeps others' event triggers from our statements and logins.

    One that writes down what is done fails on a standby, and where it finds its table by the search path.
    """
    number = major(instance.data_directory) or ""
    if not number.isdigit():
        return {}
    if int(number) >= EVENT_TRIGGERS_OFF_SINCE:
        return {"event_triggers": "off"}
    return {"session_replication_role": "replica"}  # all but those that are always to act


#: by the data directory, for this process: where sessions go that are not given in the first database
_instead: dict[str, str] = {}


def where(instance: Instance) -> str:
    """Return the database in which the server is asked, as far as this process knows."""
    return _instead.get(instance.data_directory) or DATABASES[0]


def typed(instance: Instance, *statements: str) -> str:
    """Return the line that runs these statements on this host's server."""
    seen = {
        "engine": instance.engine,
        "user": {"name": instance.user},
        "binaries": {"directory": instance.bin_directory},
        "process": {"pidfile": postmaster(instance)},
        "endpoint": {"port": instance.port},
        "server": {"database": where(instance)},
    }
    return table.typed(seen, statements)


def _says_there_is_none(error: Exception, name: str) -> bool:
    """Whether a server's refusal may be that of a database which is gone, was renamed, or lets nobody in.

    In whatever language: it names the database.
    """
    return name == DATABASES[0] and name in str(error).rpartition(" failed: ")[2]


def _otherwise(connected: t.Callable[[], t.Any], error: Exception) -> t.Any:
    """Return a session with another database; the first refusal counts where there is none either."""
    try:
        return connected()
    except psycopg2.OperationalError:
        raise error from None


@contextlib.contextmanager
def session(
    instance: Instance,
    database: str = DATABASES[0],
    statement_seconds: int = STATEMENT_SECONDS,
    settings: dict[str, str] | None = None,
) -> t.Iterator[t.Any]:
    """Give a cursor (rows as dicts) in autocommit mode; raise MirroringError when there is no connection."""
    if not HAS_PSYCOPG2:
        raise MirroringError(f"Python's psycopg2 is missing on this host: {missing_library()}")
    place = postmaster(instance)
    directory = place.get("socket_directory") or "/var/run/postgresql"
    if place.get("status") in ("ready", "standby") and not place.get("socket_directory"):
        raise MirroringError(
            "no session with the server: it has no socket in a directory, where it is asked. Set"
            " unix_socket_directories to one, and restart it"
        )
    wanted = {
        **OWN_SETTINGS,
        **SUPERUSERS_SETTINGS,
        **_without_event_triggers(instance),
        "statement_timeout": f"{statement_seconds}s",
        **(settings or {}),
    }

    def connected(name: str) -> t.Any:
        with _database_of_any_bytes(name):
            return psycopg2.connect(
                host=directory,
                port=place.get("port", instance.port),
                user=instance.user,
                connect_timeout=CONNECT_SECONDS,
                application_name="hawq_mirroring",
                client_encoding=ANY_BYTES,
                options=_options(wanted),
            )

    try:
        try:
            connection = connected(where(instance) if database == DATABASES[0] else database)
        except psycopg2.OperationalError as error:
            if not _says_there_is_none(error, database):
                raise
            connection = _otherwise(lambda: connected(DATABASES[1]), error)
            _instead[instance.data_directory] = DATABASES[1]  # each refusal is a line in the server's log
    except (psycopg2.OperationalError, UnicodeError) as error:
        raise MirroringError(f"no session with the server in {directory}: {_words(error)}") from error
    with _cursor(connection, "the server") as cursor:
        yield cursor


@contextlib.contextmanager
def remote(keywords: dict[str, t.Any], *ours: dict[str, t.Any]) -> t.Iterator[t.Any]:
    """Give a cursor on another host's server; raise MirroringError when there is none.

    How long an answer may take is bounded here, where a host that is frozen is noticed as well.
    """
    if not HAS_PSYCOPG2:
        raise MirroringError(f"Python's psycopg2 is missing on this host: {missing_library()}")
    try:
        told = conninfo.allowed(keywords, *ours, {"connect_timeout": CONNECT_SECONDS, "client_encoding": ANY_BYTES})
        own = _options({**OWN_SETTINGS, "statement_timeout": "0"})
        told["options"] = f"{told.get('options', '')} {own}".strip()
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


def keep_out_of_the_log(cursor: t.Any) -> None:
    """Let the server log no statement of this session: the next one has a password's verifier in it."""
    cursor.execute(UNLOGGED)


def current(cursor: t.Any) -> str:
    """Return the session's database, as it stands in a statement."""
    return next((str(row["name"]) for row in rows(cursor, CURRENT)), DATABASES[0])


def rows(cursor: t.Any, query: str, parameters: t.Any = None) -> list[dict[str, t.Any]]:
    """Run a query and return its rows as plain dicts."""
    cursor.execute(query, parameters)
    return [dict(row) for row in cursor.fetchall()]


def names(instance: Instance) -> list[str]:
    """Return all databases of the server that let anybody in."""
    with session(instance) as cursor:
        return [row["name"] for row in rows(cursor, ALL)]
