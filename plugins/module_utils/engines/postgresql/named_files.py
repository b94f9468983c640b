# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files and directories that a configuration names, and which of them a server would miss at its next start.

They vanish while it runs, and it has read them long before: nothing is told until it is started again. Files are read
here, and no program is asked. Sources: PostgreSQL manual, "File Locations", "SSL", "Error Reporting and Logging",
"Connections and Authentication"; ``PostmasterMain`` and ``SysLogger_Start`` of PostgreSQL.
"""

from __future__ import annotations

import os
import re
import shlex
import typing as t

from ...host import named_place
from ...host.module import Instance
from ...values import observation, settings_file
from . import configured, start_files

TLS = ("ssl_cert_file", "ssl_key_file", "ssl_ca_file", "ssl_crl_file", "ssl_dh_params_file", "ssl_crl_dir")
#: where a server looks unless told
OWN = {"ssl_cert_file": "server.crt", "ssl_key_file": "server.key"}
WANTED = {
    **dict.fromkeys(TLS, "read"),
    "ssl_key_file": "private",
    "ssl_crl_dir": "enter",
    "hba_file": "read",
    "ident_file": "read",
    "krb_server_keyfile": "read",
    "stats_temp_directory": "write",
}
COMMANDS = ("archive_command", "archive_cleanup_command", "recovery_end_command", "ssl_passphrase_command")
#: a server starts without these, and what needs them fails
LATER = (
    "ident_file",
    "krb_server_keyfile",
    "ssl_crl_dir",
    "stats_temp_directory",
    "external_pid_file",
    "include_if_exists",
    *COMMANDS[:3],
)
#: made anew at each boot, mostly by the unit
PASSING = ("/run/", "/var/run/")
#: a directory that a command puts files of WAL into
_ARCHIVE = re.compile(r"(/[^\s'\"%;|&<>]+)/%f")


def place(setting: str, path: str, wanted: str) -> observation.NamedPlace:
    """Return what is wrong with a place that a setting names."""
    return {
        "setting": setting,
        "path": path,
        "wanted": wanted,
        "starts": setting not in LATER,
        "trouble": named_place.trouble(path, wanted),
    }


def of_command(name: str, command: str | None) -> list[tuple[str, str, str]]:
    """Return the program of a command, and the directory that it fills, where these are plain to see."""
    try:
        words = list(shlex.shlex(command or "", posix=True, punctuation_chars=True))
    except ValueError:
        return []
    first = [word for before, word in zip([";", *words], words) if set(before) <= set(";&|(")]
    found = [(name, word, "run") for word in first if word.startswith("/") and "%" not in word]
    if name == "archive_command":
        found += [(name, path, "write") for path in dict.fromkeys(_ARCHIVE.findall(command or ""))]
    return found


def missing(instance: Instance, access_file: str | None) -> list[observation.NamedPlace]:
    """Return what would not do at the next start of this host's server.

    ``access_file`` is that of a server that gives a session, which tells of files that are included by itself.
    """
    data = instance.data_directory
    if not os.path.exists(os.path.join(data, "PG_VERSION")):
        return []
    texts, included = start_files.told(data, instance.config_directory)
    told = {name: value for text in texts for name, value in settings_file.parse(text).items()}
    found = [*_tls(told), *_access(instance, told, access_file), *_directories(told)]
    if access_file is None:
        found += [(each.word, each.path, each.wanted) for each in included if each.word != "include_if_exists"]
    rows = [place(name, os.path.join(data, path), wanted) for name, path, wanted in found]
    return [row for row in rows if row["trouble"] and not row["path"].startswith(PASSING)]


def _is_on(told: dict[str, str], name: str) -> bool:
    return told.get(name, "").lower() in configured.TRUE


def _tls(told: dict[str, str]) -> list[tuple[str, str, str]]:
    if not _is_on(told, "ssl"):
        return []
    found = [(name, told.get(name, OWN.get(name, "")), WANTED[name]) for name in TLS]
    return [each for each in found if each[1]] + of_command(COMMANDS[3], told.get(COMMANDS[3]))


def _access(instance: Instance, told: dict[str, str], running: str | None) -> t.Iterator[tuple[str, str, str]]:
    """Yield the files that say who may connect; a path that is not absolute counts from where the server began."""
    usual = [f"{place}/pg_hba.conf" for place in (instance.config_directory, instance.data_directory)]
    named = told.get("hba_file") or running or next((path for path in usual if os.path.exists(path)), usual[0])
    keys = told.get("krb_server_keyfile", "").removeprefix("FILE:")
    for name, path in (
        ("hba_file", named if named.startswith("/") else running or ""),
        ("ident_file", told.get("ident_file", "")),
        ("krb_server_keyfile", keys),
    ):
        if path.startswith("/"):
            yield name, path, "read"


def _directories(told: dict[str, str]) -> t.Iterator[tuple[str, str, str]]:
    if _is_on(told, "logging_collector"):
        yield "log_directory", told.get("log_directory", "log"), "make"
    for path in re.split(r'[,\s"]+', told.get("unix_socket_directories", "")):
        if path.startswith("/"):
            yield "unix_socket_directories", path, "write"
