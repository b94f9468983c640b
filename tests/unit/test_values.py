# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Small values and parsers: LSNs, connection strings, password files, settings, control files, SCRAM."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.values import (
    conninfo,
    control_data,
    lsn,
    places,
    scram,
    settings_file,
)

SAMPLES = Path(__file__).parent / "controldata"


def rows(table: dict[str, t.Any]) -> t.Any:
    return [pytest.param(*(row if isinstance(row, tuple) else (row,)), id=name) for name, row in table.items()]


@pytest.mark.parametrize(
    ("text", "position"),
    rows(
        {
            "zero": ("0/0", 0),
            "low half": ("0/3017F88", 0x3017F88),
            "both halves": ("16/B374D848", 0x16B374D848),
            "largest": ("FFFFFFFF/FFFFFFFF", 2**64 - 1),
        }
    ),
)
def test_lsn_both_ways(text: str, position: int) -> None:
    assert lsn.parse(text) == position
    assert lsn.render(position) == text


@pytest.mark.parametrize(
    "text",
    rows({"empty": "", "no slash": "16B374D848", "no low half": "16/", "not hexadecimal": "0/XYZ", "two": "0/1/2"}),
)
def test_lsn_malformed(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        lsn.parse(text)


@pytest.mark.parametrize(
    ("ahead", "behind", "bytes_"),
    rows(
        {
            "ahead": ("0/20", "0/10", 16),
            "level": ("1/0", "1/0", 0),
            "across the halves": ("1/0", "0/FFFFFFFF", 1),
            "the other way": ("0/10", "0/20", -16),
            "unknown ahead": (None, "0/10", None),
            "unknown behind": ("0/10", None, None),
        }
    ),
)
def test_lsn_distance(ahead: str | None, behind: str | None, bytes_: int | None) -> None:
    assert lsn.distance(ahead, behind) == bytes_


@pytest.mark.parametrize(
    ("text", "keywords"),
    rows(
        {
            "empty": ("", {}),
            "blank": ("  \n", {}),
            "plain": ("host=mdw port=5432", {"host": "mdw", "port": "5432"}),
            "blanks around": (" host = mdw   port= 5432 ", {"host": "mdw", "port": "5432"}),
            "quoted blanks": ("user='hawq mirroring' host=a", {"user": "hawq mirroring", "host": "a"}),
            "quoted quote": (r"user='o\'neil'", {"user": "o'neil"}),
            "backslash": (r"user=a\\b", {"user": "a\\b"}),
            "escaped blank": (r"user=a\ b", {"user": "a b"}),
            "empty value": ("user='' host=a", {"user": "", "host": "a"}),
            "nothing after the sign": ("user=", {"user": ""}),
            "quote inside": ("user=o'neil host=a", {"user": "o'neil", "host": "a"}),
            "IPv6": ("host=fd00::2", {"host": "fd00::2"}),
            "last wins": ("host=a host=b", {"host": "b"}),
            "as pg_basebackup -R writes": (
                "user=postgres passfile='/var/lib/postgresql/.pgpass' host='/tmp/x' port=5999 target_session_attrs=any",
                {
                    "user": "postgres",
                    "passfile": "/var/lib/postgresql/.pgpass",
                    "host": "/tmp/x",
                    "port": "5999",
                    "target_session_attrs": "any",
                },
            ),
        }
    ),
)
def test_conninfo_parse(text: str, keywords: dict[str, str]) -> None:
    assert conninfo.parse(text) == keywords


@pytest.mark.parametrize(
    "text",
    rows(
        {
            "no sign": "host",
            "no key": "=mdw",
            "open quote": "host='mdw",
            "open quote after a backslash": r"host='mdw\'",
            "URI": "postgresql://mdw/postgres",
            "second one has no sign": "host=mdw port",
        }
    ),
)
def test_conninfo_malformed(text: str) -> None:
    with pytest.raises(ValueError, match=r"character [0-9]+"):
        conninfo.parse(text)


@pytest.mark.parametrize(
    ("keywords", "text"),
    rows(
        {
            "plain": ({"host": "mdw", "port": 5432}, "host=mdw port=5432"),
            "IPv6": ({"host": "fd00::2"}, "host=fd00::2"),
            "blank": ({"user": "a b"}, "user='a b'"),
            "quote": ({"user": "o'neil"}, r"user='o\'neil'"),
            "backslash": ({"user": "a\\b"}, r"user='a\\b'"),
            "empty": ({"user": ""}, "user=''"),
        }
    ),
)
def test_conninfo_render_and_back(keywords: dict[str, str | int], text: str) -> None:
    assert conninfo.render(keywords) == text
    assert conninfo.parse(text) == {key: str(value) for key, value in keywords.items()}


def test_conninfo_without_secrets() -> None:
    keywords = {"host": "mdw", "password": "geheim", "sslpassword": "geheim", "passfile": "/home/gpadmin/.pgpass"}
    assert conninfo.without_secrets(keywords) == {"host": "mdw", "passfile": "/home/gpadmin/.pgpass"}


@pytest.mark.parametrize(
    ("fields", "line"),
    rows(
        {
            "plain": (("mdw", 5432, "replication", "r", "geheim"), "mdw:5432:replication:r:geheim"),
            "IPv6": (("fd00::2", 5432, "replication", "r", "p"), r"fd00\:\:2:5432:replication:r:p"),
            "colon in the password": (("mdw", 1, "d", "r", "a:b"), r"mdw:1:d:r:a\:b"),
            "backslash in the password": (("mdw", 1, "d", "r", "a\\b"), r"mdw:1:d:r:a\\b"),
            "hash in the password": (("mdw", 1, "d", "r", "#a"), "mdw:1:d:r:#a"),
        }
    ),
)
def test_passfile_line_and_back(fields: tuple[str, int, str, str, str], line: str) -> None:
    assert conninfo.passfile_line(*fields) == line
    assert conninfo.passfile_fields(line + "\n") == [str(field) for field in fields]


@pytest.mark.parametrize(
    ("line", "fields"),
    rows(
        {
            "comment": ("# mdw:5432:replication:r:geheim", None),
            "empty": ("", None),
            "four fields": ("mdw:5432:replication:r", None),
            "empty password": ("mdw:5432:replication:r:", ["mdw", "5432", "replication", "r", ""]),
            "wildcards": ("*:*:*:r:p", ["*", "*", "*", "r", "p"]),
            "bare colon after the password": ("h:1:d:r:p:q", ["h", "1", "d", "r", "p"]),
            "escaped separator makes four": (r"h\:1:d:r:p", None),
        }
    ),
)
def test_passfile_fields(line: str, fields: list[str] | None) -> None:
    assert conninfo.passfile_fields(line) == fields


@pytest.mark.parametrize(
    ("standby", "slot"),
    rows(
        {
            "plain": ("smdw", "hawq_mirroring_smdw"),
            "capitals, dots, dashes": ("SMDW-2.example.com", "hawq_mirroring_smdw_2_example_com"),
            "IPv6": ("fd00::2", "hawq_mirroring_fd00__2"),
            "long": ("x" * 100, "hawq_mirroring_" + "x" * 48),
        }
    ),
)
def test_slot_name(standby: str, slot: str) -> None:
    assert conninfo.slot_name(standby) == slot
    assert len(slot) <= 63


@pytest.mark.parametrize(
    ("addresses", "lines"),
    rows(
        {
            "none": ([], []),
            "sorted": (
                ["10.9.0.3", "10.9.0.2"],
                [
                    "host replication r 10.9.0.2/32 scram-sha-256",
                    "host replication r 10.9.0.3/32 scram-sha-256",
                ],
            ),
            "IPv6": (["fd00::2"], ["host replication r fd00::2/128 scram-sha-256"]),
        }
    ),
)
def test_hba_lines(addresses: list[str], lines: list[str]) -> None:
    assert conninfo.hba_lines("r", addresses) == lines


@pytest.mark.parametrize(
    ("text", "settings"),
    rows(
        {
            "empty": ("", {}),
            "plain": ("port = 5432\n", {"port": "5432"}),
            "without the sign": ("port 5432", {"port": "5432"}),
            "without blanks": ("port=5432", {"port": "5432"}),
            "quoted": ("listen_addresses = '*'", {"listen_addresses": "*"}),
            "empty value": ("primary_slot_name = ''", {"primary_slot_name": ""}),
            "doubled quote": ("primary_conninfo = 'user=''a b'''", {"primary_conninfo": "user='a b'"}),
            "backslash quote": (r"cluster_name = 'a\'b'", {"cluster_name": "a'b"}),
            # ALTER SYSTEM of PostgreSQL 15 wrote this for the value a\b'c
            "as ALTER SYSTEM writes": (r"cluster_name = 'a\\b''c'", {"cluster_name": "a\\b'c"}),
            "comment": ("# port = 1\nport = 2 # not 3", {"port": "2"}),
            "hash in quotes": ("cluster_name = 'a#b' # c", {"cluster_name": "a#b"}),
            "last wins": ("port = 1\nport = 2", {"port": "2"}),
            "name in capitals": ("Port = 1\nPORT = 2", {"port": "2"}),
            "custom name": ("hawq_mirroring.standbys = 'a'", {"hawq_mirroring.standbys": "a"}),
            "not a setting": ("port =\n= 5\n???\n'a' = b", {}),
            "include": ("include_dir 'conf.d'", {"include_dir": "conf.d"}),
        }
    ),
)
def test_conf_parse(text: str, settings: dict[str, str]) -> None:
    assert settings_file.parse(text) == settings


@pytest.mark.parametrize(
    ("text", "wanted", "after"),
    rows(
        {
            "into nothing": ("", {"port": "1"}, "port = '1'\n"),
            "nothing wanted": ("port = 1", {}, "port = 1"),
            "already so": ("port = 1 # mine\n", {"port": "1"}, "port = 1 # mine\n"),
            "replaced at the end": ("# a\nport = 1\nssl = on\n", {"port": "2"}, "# a\nssl = on\nport = '2'\n"),
            "every line of the name": ("port = 1\nport = 2\n", {"port": "3"}, "port = '3'\n"),
            "an earlier line of the wanted value": ("port = 1\nport = 2\n", {"port": "1"}, "port = '1'\n"),
            "None removes": ("port = 1\nssl = on\n", {"port": None}, "ssl = on\n"),
            "None removes the last": ("port = 1\n", {"port": None}, ""),
            "None of what is not there": ("ssl = on\n", {"port": None}, "ssl = on\n"),
            "no last line end": ("ssl = on", {"port": "1"}, "ssl = on\nport = '1'\n"),
            "comment stays": ("#port = 1\n", {"port": "2"}, "#port = 1\nport = '2'\n"),
            "quote": ("", {"primary_conninfo": "user='a b'"}, "primary_conninfo = 'user=''a b'''\n"),
            "backslash": ("", {"cluster_name": "a\\b'c"}, "cluster_name = 'a\\\\b''c'\n"),
        }
    ),
)
def test_conf_edit(text: str, wanted: dict[str, str | None], after: str) -> None:
    assert settings_file.edit(text, wanted) == after
    assert settings_file.edit(after, wanted) == after
    assert {name: settings_file.parse(after).get(name) for name in wanted} == wanted


def test_conf_keeps_a_conninfo_that_needs_quotes() -> None:
    keywords: dict[str, str | int] = {"passfile": "/home/o'neil/a\\b c/.pgpass", "host": "fd00::2"}
    text = settings_file.edit("", {"primary_conninfo": conninfo.render(keywords)})
    assert conninfo.parse(settings_file.parse(text)["primary_conninfo"]) == keywords


COMMON = {
    "wal_level": "replica",
    "wal_log_hints": "off",
    "timeline": 1,
    "wal_segment_bytes": 16777216,
    "checksum_version": 1,
    "max_connections": 100,
    "max_worker_processes": 8,
    "max_wal_senders": 10,
    "max_prepared_transactions": 0,
    "max_locks_per_transaction": 64,
}


@pytest.mark.parametrize(
    ("sample", "fields"),
    rows(
        {
            "PostgreSQL 15, master": (
                "15-master",
                {
                    "system_identifier": "7711308009646152291",
                    "state": "shut down",
                    "min_recovery_lsn": "0/0",
                    "min_recovery_timeline": 0,
                },
            ),
            "PostgreSQL 15, standby": (
                "15-standby",
                {
                    "system_identifier": "7711308009646152291",
                    "state": "shut down in recovery",
                    "checkpoint_lsn": "0/3017F10",
                    "redo_lsn": "0/3017ED8",
                    "min_recovery_lsn": "0/3017F88",
                    "min_recovery_timeline": 1,
                },
            ),
            "PostgreSQL 18": (
                "18-initdb",
                {
                    "system_identifier": "7711308232729292413",
                    "state": "shut down",
                    "checkpoint_lsn": "0/16ED420",
                    "redo_lsn": "0/16ED420",
                    "min_recovery_lsn": "0/0",
                    "min_recovery_timeline": 0,
                },
            ),
        }
    ),
)
def test_controldata(sample: str, fields: dict[str, str | int]) -> None:
    found = control_data.parse((SAMPLES / f"{sample}.txt").read_text())
    assert {key: found[key] for key in {**COMMON, **fields}} == {**COMMON, **fields}
    assert set(found) == {*control_data._TEXT.values(), *control_data._NUMBERS.values()}


def test_controldata_of_nothing() -> None:
    assert control_data.parse("pg_controldata: error: could not open file\n") == {}


@pytest.mark.parametrize(
    ("text", "found"),
    rows(
        {
            "running": (
                "7716\n/data\n1795428856\n5998\n/tmp\n\n  2384897         5\nready   \n",
                {
                    "pid": 7716,
                    "data_directory": "/data",
                    "started": 1795428856,
                    "port": 5998,
                    "socket_directory": "/tmp",
                    "status": "ready",
                },
            ),
            "single-user server": (
                "-7716\n/data\n1795428856\n",
                {"pid": 7716, "data_directory": "/data", "started": 1795428856, "socket_directory": "", "status": ""},
            ),
            "empty": ("", {"data_directory": "", "socket_directory": "", "status": ""}),
            "garbage": ("--7\n\n\u00b2\nport\n", {"data_directory": "", "socket_directory": "", "status": ""}),
        }
    ),
)
def test_postmaster_pid(text: str, found: dict[str, str | int]) -> None:
    assert control_data.parse_postmaster_pid(text) == found


#: made by PostgreSQL 15
VERIFIERS = {
    "correct horse": (
        "SCRAM-SHA-256$4096:RhBu9Stxs5bPl3gVlojdlw==$"
        "31/aghy8i4chIvEO/VN8NVgPEdmAcK96+pRb7b5yUUk=:N4PacnkWRiyHBhA36LL2mf8L4ScJrhV5fVASg9FONMU="
    ),
    "p:a\\ss'w": (
        "SCRAM-SHA-256$4096:79t/TbbohabpYa/K5CPd9A==$"
        "wUfixc8htJyJGkewvwFgaLo/OlmbY66aKj7mv99jlEg=:l0fLlKQE0N1SV6GFvkJUldLlEmAElHEScpiqNBv1d3s="
    ),
}


@pytest.mark.parametrize(("password", "stored"), rows({name: (name, text) for name, text in VERIFIERS.items()}))
def test_scram_as_the_server_makes_it(password: str, stored: str) -> None:
    assert scram.matches(password, stored)


@pytest.mark.parametrize(
    ("password", "stored"),
    rows(
        {
            "other password": ("correct horsf", VERIFIERS["correct horse"]),
            "empty password": ("", VERIFIERS["correct horse"]),
            "other salt": ("correct horse", VERIFIERS["correct horse"].replace("RhBu", "RhBv")),
            "md5": ("correct horse", "md5d8578edf8458ce06fbc5bb76a58c5ca4"),
            "other method": ("correct horse", VERIFIERS["correct horse"].replace("SHA-256", "SHA-512")),
            "no password stored": ("correct horse", None),
        }
    ),
)
def test_scram_refuses(password: str, stored: str | None) -> None:
    assert not scram.matches(password, stored)


def test_scram_salts_are_new_each_time() -> None:
    one, other = scram.verifier("geheim"), scram.verifier("geheim")
    assert one != other
    assert scram.matches("geheim", one)
    assert scram.matches("geheim", other)
    assert "geheim" not in one


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/data/master.hawq-lost-0-3000028", True),
        ("/data/master.kept-20261125T101112", True),
        ("/data/master.kept-by-me", False),
        ("/data/master.hawq-snapshot", False),
        ("/data/other.kept-20261125T101112", False),
        ("/data/master", False),
    ],
)
def test_what_is_kept_beside_a_data_directory(path: str, kept: bool) -> None:
    assert places.is_kept(path, "/data/master/") is kept
