# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which files and directories of its configuration a server would miss at its next start, as its host has them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import named_files, start_files
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import Instance
from cases import rows
from sessions import instance_in

#: configuration, files that are there (a key is the user's alone), whether a session tells of files that are included,
#: what is missing: setting, path and whether the server starts without it
Missing = list[tuple[str, str, bool]]
FOUND: dict[str, tuple[str, list[str], bool, Missing]] = {
    "as it was made": ("", ["data/pg_hba.conf"], True, []),
    "the access file": ("", [], True, [("hba_file", "data/pg_hba.conf", True)]),
    "the access file of a server that is stopped": ("", [], False, [("hba_file", "data/pg_hba.conf", True)]),
    "an access file that is named": (
        "hba_file = '{place}/hba'\nident_file = '{place}/ident'\n",
        ["data/pg_hba.conf"],
        True,
        [("hba_file", "hba", True), ("ident_file", "ident", False)],
    ),
    "one that counts from where the server began": ("hba_file = 'hba'\n", ["data/pg_hba.conf"], True, []),
    "certificates in the data directory": (
        "ssl = on\n",
        ["data/pg_hba.conf", "data/server.crt"],
        True,
        [("ssl_key_file", "data/server.key", True)],
    ),
    "certificates elsewhere": (
        "ssl = on\nssl_cert_file = '{place}/a.crt'\nssl_key_file = '{place}/a.key'\nssl_ca_file = '{place}/ca.crt'\n"
        "ssl_crl_file = '{place}/crl'\nssl_crl_dir = '{place}/crls'\n",
        ["data/pg_hba.conf", "a.key"],
        True,
        [
            ("ssl_cert_file", "a.crt", True),
            ("ssl_ca_file", "ca.crt", True),
            ("ssl_crl_file", "crl", True),
            ("ssl_crl_dir", "crls", False),
        ],
    ),
    "certificates that are not used": ("ssl_cert_file = '{place}/a.crt'\n", ["data/pg_hba.conf"], True, []),
    "certificates that are not used any more": (
        "ssl = on\nssl_cert_file = '{place}/a.crt'\nssl = off\n",
        ["data/pg_hba.conf"],
        True,
        [],
    ),
    "the program that knows the key's word": (
        "ssl = on\nssl_passphrase_command = '{place}/word %p'\n",
        ["data/pg_hba.conf", "data/server.crt", "data/server.key"],
        True,
        [("ssl_passphrase_command", "word", True)],
    ),
    "a directory for logs": (
        "logging_collector = on\nlog_directory = '{place}/log/pg'\n",
        ["data/pg_hba.conf"],
        True,
        [("log_directory", "log/pg", True)],
    ),
    "a directory for logs that the server makes": (
        "logging_collector = true\nlog_directory = '{place}/log'\n",
        ["data/pg_hba.conf"],
        True,
        [],
    ),
    "sockets": (
        "unix_socket_directories = '/run/none, {place}/sockets, @abstract'\n",
        ["data/pg_hba.conf"],
        True,
        [("unix_socket_directories", "sockets", True)],
    ),
    "included files of a server that tells of them": ("include 'more'\n", ["data/pg_hba.conf"], True, []),
    "included files": (
        "include 'more'\ninclude_dir = 'conf.d'\ninclude_if_exists 'perhaps'\n",
        ["data/pg_hba.conf"],
        False,
        [("include", "data/more", True), ("include_dir", "data/conf.d", True)],
    ),
    "a keytab": (
        "krb_server_keyfile = 'FILE:{place}/krb'\n",
        ["data/pg_hba.conf"],
        True,
        [
            ("krb_server_keyfile", "krb", False),
        ],
    ),
}


def host(tmp_path: Path, text: str, there: list[str]) -> Instance:
    """Return a host with that configuration and these files."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/PG_VERSION").write_text("15\n")
    (tmp_path / "data/postgresql.conf").write_text(text.replace("{place}", str(tmp_path)))
    for name in there:
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o600)
    data = str(tmp_path / "data")
    return replace(instance_in(tmp_path), data_directory=data, config_directory=data)


@pytest.mark.parametrize(("text", "there", "session", "expected"), rows(FOUND))
def test_what_is_missing(tmp_path: Path, text: str, there: list[str], session: bool, expected: Missing) -> None:
    instance = host(tmp_path, text, there)
    found = named_files.missing(instance, f"{tmp_path}/data/pg_hba.conf" if session else None)
    assert [(row["setting"], row["path"].removeprefix(f"{tmp_path}/"), row["starts"]) for row in found] == expected
    assert {row["trouble"] for row in found} <= {"missing"}


def test_where_there_is_no_data_nothing_is_missed(tmp_path: Path) -> None:
    instance = host(tmp_path, "hba_file = '/none'\n", [])
    (tmp_path / "data/PG_VERSION").unlink()
    assert named_files.missing(instance, None) == []


def test_a_setting_after_an_include_outranks_what_that_brings_in(tmp_path: Path) -> None:
    instance = host(tmp_path, "a = 1\ninclude 'more.conf'  # first\nb = 2\n", [])
    (tmp_path / "data/more.conf").write_text("a = 3\nb = 3\ninclude 'postgresql.conf'\n")
    (tmp_path / "data/postgresql.auto.conf").write_text("c = 4\n")
    texts, included = start_files.told(instance.data_directory, instance.config_directory)
    assert [each.split() for each in texts if each.strip()] == [
        ["a", "=", "1"],
        ["a", "=", "3", "b", "=", "3"],
        ["#", "first", "b", "=", "2"],
        ["c", "=", "4"],
    ]
    assert [each.path for each in included] == [f"{tmp_path}/data/more.conf", f"{tmp_path}/data/postgresql.conf"]
