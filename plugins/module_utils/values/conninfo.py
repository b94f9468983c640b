# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Connection strings, password files and names as libpq and PostgreSQL spell them.

Sources: PostgreSQL manual, "Connection Strings", "The Password File", "Replication Slots".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .text import lines_of

#: what is taken from a file or from another host
FROM_FILES = (
    "host",
    "port",
    "user",
    "dbname",
    "passfile",
    "sslmode",
    "sslrootcert",
    "connect_timeout",
    "application_name",
)
SECRET_KEYS = ("password", "sslpassword")
#: a peer that falls silent is noticed within half a minute, on either side of the connection
KEEPALIVE: dict[str, str | int] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30000,
    # the master's side, or a frozen host that takes nothing more off it keeps sender, slot and checkpointer waiting
    "options": "-c tcp_user_timeout=60000",
}


#: the same for a program that gets a copy or WAL: what somebody has set for all sessions must not end it
JOB: dict[str, str | int] = {
    **KEEPALIVE,
    "options": f"{KEEPALIVE['options']} -c wal_sender_timeout=60s -c idle_session_timeout=0",
}
#: and for one that only asks
ASKING: dict[str, str | int] = {"options": "-c idle_session_timeout=0"}


def parse(text: str) -> dict[str, str]:
    """Return the keywords of a ``key=value`` connection string; raise ValueError when it is malformed."""
    token = re.compile(r"\s*(\w+)\s*=\s*('(?:[^'\\]|\\.)*'|(?!')(?:[^\s\\]|\\.)*)(?=\s|$)", re.S)
    found: dict[str, str] = {}
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = token.match(text, position)
        if not match:
            raise ValueError(f"connection string cannot be read at character {position + 1}")
        value = match.group(2)
        if value.startswith("'"):
            value = value[1:-1]
        found[match.group(1)] = re.sub(r"\\(.)", r"\1", value, flags=re.S)
        position = match.end()
    return found


def render(keywords: dict[str, str | int]) -> str:
    """Return a connection string; values are quoted where libpq asks for it."""
    words = []
    for key, value in keywords.items():
        text = str(value)
        if not text or re.search(r"[\s'\\]", text):
            text = "'" + re.sub(r"(['\\])", r"\\\1", text) + "'"
        words.append(f"{key}={text}")
    return " ".join(words)


def without_secrets(keywords: dict[str, str]) -> dict[str, str]:
    """Return the keywords that anyone may read."""
    return {key: value for key, value in keywords.items() if key not in SECRET_KEYS}


def allowed(keywords: Mapping[str, str | int], *more: Mapping[str, str | int]) -> dict[str, str | int]:
    """Return the keywords that libpq may be given, whoever has written them; ``more`` are our own.

    Others lead it to files and programs (sslkey, service, gssencmode) that nobody here has chosen.
    """
    found = {key: value for key, value in keywords.items() if key in FROM_FILES}
    for each in more:
        found.update(each)
    return found


def passfile_line(host: str, port: int, database: str, user: str, password: str) -> str:
    """Return one line of a password file; colons and backslashes (IPv6 addresses) are escaped."""
    fields = (host, str(port), database, user, password)
    return ":".join(re.sub(r"([:\\])", r"\\\1", field) for field in fields)


def passfile_fields(line: str) -> list[str] | None:
    """Return the five fields of a password file's line, or None for a comment or a malformed one."""
    if line.startswith("#"):
        return None
    fields = re.match(r":".join([r"((?:[^:\\]|\\.)*)"] * 5), line.rstrip("\r\n"))
    if not fields:
        return None
    return [re.sub(r"\\(.)", r"\1", field) for field in fields.groups()]


def password_in(text: str, role: str) -> str | None:
    """Return a role's password from the text of a password file, or None."""
    lines = map(passfile_fields, lines_of(text))
    return next((fields[4] for fields in lines if fields and fields[3] == role), None)


def slot_name(standby: str) -> str:
    """Return the replication slot of a standby: slot names allow lower case, digits and underscores, 63 characters."""
    return "hawq_mirroring_" + re.sub(r"[^a-z0-9_]", "_", standby.lower())[:48]


def hba_lines(role: str, addresses: list[str], database: str = "replication") -> list[str]:
    """Return host-based authentication lines that let a role in from exactly these addresses, to replicate or query."""
    return [
        f"host {database} {role} {address}/{128 if ':' in address else 32} scram-sha-256"
        for address in sorted(addresses)
    ]
