# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Connection strings, lines of password files and of access files, names of slots."""

from __future__ import annotations

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.values import conninfo
from cases import rows


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
