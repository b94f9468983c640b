# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The dry start of a server: what is put where, what the server is asked, and what is made of its answers."""

from __future__ import annotations

import os
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.engines.postgresql import (
    dry_start,
    named_files,
    start_files,
)
from ansible_collections.hawq.mirroring.plugins.module_utils.host import listening
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import Instance
from ansible_collections.hawq.mirroring.plugins.module_utils.values import settings_file
from cases import rows
from sessions import instance_in

DEFAULTS = {
    "shared_memory_size": "143",
    "port": "5432",
    "ssl": "off",
    "ssl_cert_file": "server.crt",
    "ssl_key_file": "server.key",
    "huge_pages": "try",
    "listen_addresses": "localhost",
    "unix_socket_directories": "/tmp",
    "logging_collector": "off",
}


class Program:
    """Stands for ``postgres -C`` and ``systemctl show``: answers with what the configuration says."""

    def __init__(self, error: str = "", unit: str = "Environment=\nRuntimeDirectory=\n") -> None:
        self.error, self.unit = error, unit
        self.asked: list[list[str]] = []
        self.environment: dict[str, str] = {}

    def __call__(self, command: list[str], timeout: float = 30) -> tuple[int, str, str]:
        if command[0] == "systemctl":
            return 0, self.unit, ""
        self.asked.append(command)
        self.environment = dict(os.environ)
        data = command[command.index("-D") + 1]
        told = [word for word in command if word.startswith("config_file=")]
        main = told[0].partition("=")[2] if told else f"{data}/postgresql.conf"
        assert Path(data, "PG_VERSION").exists()
        values = {**DEFAULTS}
        for path in (main, f"{data}/postgresql.auto.conf"):
            values.update(settings_file.parse(Path(path).read_text() if os.path.exists(path) else ""))
        if self.error and command[-1] == "shared_memory_size":
            return 1, "", self.error.format(data=data)
        return 0, f"{values.get(command[-1], '')}\n", ""


def source(tmp_path: Path, text: str, outside: bool = False, auto: str = "") -> tuple[Instance, dict[str, t.Any]]:
    """Return the standby's instance, and what was read of a master whose directories are elsewhere."""
    there = replace(instance_in(tmp_path / "there"), data_directory=str(tmp_path / "there/data"))
    config = tmp_path / "there/etc" if outside else Path(there.data_directory)
    there = replace(there, config_directory=str(config))
    for path in (Path(there.data_directory) / "global", config / "conf.d"):
        path.mkdir(parents=True)
    (Path(there.data_directory) / "PG_VERSION").write_text("15\n")
    (Path(there.data_directory) / "global/pg_control").write_bytes(b"\0" * 8192)
    (Path(there.data_directory) / "postgresql.auto.conf").write_text(auto)
    (config / "postgresql.conf").write_text(text)
    here = replace(instance_in(tmp_path / "here"), data_directory=str(tmp_path / "here/data"))
    here = replace(here, config_directory=str(tmp_path / "here/etc") if outside else here.data_directory)
    return here, start_files.read(there)["source"]


def trial(tmp_path: Path, text: str, run: Program | None = None, **settings: str) -> dict[str, t.Any]:
    here, read = source(tmp_path, text)
    found = dry_start.look(here, t.cast(t.Any, run or Program()), source=read, settings=settings)
    assert not [name for name in os.listdir("/tmp") if name.startswith("hawq-start-")]
    return t.cast("dict[str, t.Any]", found["trial"])


PLACES: dict[str, tuple[str, list[tuple[str, str, str | None]]]] = {
    "nothing": ("", []),
    "what the copy brings along": ("ssl = on\nlog_directory = 'log'\nlogging_collector = on\n", []),
    "a directory in the master's data directory": (
        "logging_collector = on\nlog_directory = '{data}/log'\nhba_file = '{data}/hba'\n",
        [],
    ),
    "67: certificates": (
        "ssl = on\nssl_cert_file = '/none/a.crt'\nssl_key_file = '/none/a.key'\nssl_ca_file = ''\n",
        [("ssl_cert_file", "/none/a.crt", "missing"), ("ssl_key_file", "/none/a.key", "missing")],
    ),
    "certificates that are not used": ("ssl_cert_file = '/none/a.crt'\n", []),
    "67: a directory for logs": (
        "logging_collector = on\nlog_directory = '/none/log'\n",
        [("log_directory", "/none/log", "missing")],
    ),
    "a directory for logs that is not used": ("log_directory = '/none/log'\n", []),
    "sockets": (
        "unix_socket_directories = '/tmp, /none/run, @abstract'\n",
        [("unix_socket_directories", "/none/run", "missing")],
    ),
    "access files": (
        "hba_file = '/none/hba'\nident_file = '/none/ident'\n",
        [("hba_file", "/none/hba", "missing"), ("ident_file", "/none/ident", "missing")],
    ),
    "a keytab": ("krb_server_keyfile = 'FILE:/none/krb'\n", [("krb_server_keyfile", "/none/krb", "missing")]),
    "a file for the process": ("external_pid_file = '/none/a.pid'\n", [("external_pid_file", "/none", "missing")]),
    "an archive": (
        "archive_command = 'test ! -f /none/wal/%f && /none/bin/put %p /none/wal/%f'\n",
        [("archive_command", "/none/bin/put", "missing"), ("archive_command", "/none/wal", "missing")],
    ),
}


@pytest.mark.parametrize(("text", "expected"), rows(PLACES))
def test_places_that_the_configuration_names(
    tmp_path: Path, text: str, expected: list[tuple[str, str, str | None]]
) -> None:
    found = trial(tmp_path, text.replace("{data}", f"{tmp_path}/there/data"))
    assert [(row["setting"], row["path"], row["trouble"]) for row in found["places"]] == expected


COMMANDS = {
    "": [],
    "cp %p /wal/%f": [("a", "/wal", "write")],
    "/bin/a %p | gzip > /wal/%f.gz": [("a", "/bin/a", "run"), ("a", "/wal", "write")],
    "false || (/bin/a; cp %p '/wal x/%f')": [("a", "/bin/a", "run")],
    "'unbalanced": [],
    "%p": [],
}


@pytest.mark.parametrize(("command", "expected"), COMMANDS.items())
def test_what_a_command_names(command: str, expected: list[tuple[str, str, str]]) -> None:
    found = [("a", *row[1:]) for row in named_files.of_command("archive_command", command)]
    assert found == expected


def test_the_servers_words_name_the_places_as_they_will_be(tmp_path: Path) -> None:
    error = 'FATAL:  configuration file "{data}/postgresql.conf" contains errors\n'
    found = trial(tmp_path, "", Program(error))
    assert found["error"] == f'FATAL: configuration file "{tmp_path}/here/data/postgresql.conf" contains errors'
    assert found["memory_bytes"] is None
    torn = "FATAL:  incorrect checksum in control file\n"
    assert trial(tmp_path / "torn", "", Program(torn))["error"] is None
    assert trial(tmp_path / "odd", "", Program("Segmentation fault"))["error"] == "Segmentation fault"


def test_memory_addresses_and_what_the_standby_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "word", lambda name: name)
    text = "huge_pages = on\nshared_memory_size_in_huge_pages = 72\nlisten_addresses = 'mdw'\ndata_directory = '/d'\n"
    found = trial(tmp_path, text, listen_addresses="localhost, smdw")
    assert found["listens"] == ["localhost", "smdw"]
    assert found["memory_bytes"] == 143 << 20
    assert found["huge_pages"] == 72
    assert isinstance(found["free_huge_pages"], int)
    assert found["host_memory_bytes"] > 1 << 28
    assert found["data_directory"] == "/d"


KERNEL: dict[str, tuple[str, bool, bool]] = {
    "by default": ("", False, True),
    "mapped memory": ("shared_memory_type = mmap\ndynamic_shared_memory_type = posix\n", False, True),
    "of System V": ("shared_memory_type = sysv\ndynamic_shared_memory_type = sysv\n", True, False),
    "in files of its own": ("dynamic_shared_memory_type = mmap\n", False, False),
}


@pytest.mark.parametrize(("text", "sysv", "posix"), rows(KERNEL))
def test_what_the_kernel_gives(tmp_path: Path, text: str, sysv: bool, posix: bool) -> None:
    found = trial(tmp_path, text)
    assert (found["segment_limit_bytes"] is not None, found["segments_limit_bytes"] is not None) == (sysv, sysv)
    assert (found["dynamic_free_bytes"] is not None) is posix


@pytest.mark.parametrize(
    ("told", "asked"), [("", False), ("io_method = worker\n", False), ("io_method = io_uring\n", True)]
)
def test_a_ring_is_only_asked_for_where_it_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str, asked: bool
) -> None:
    monkeypatch.setattr(dry_start.ring, "refused", lambda: "Function not implemented")
    assert trial(tmp_path, told)["ring_refused"] == ("Function not implemented" if asked else None)


def test_the_units_environment_and_directories(tmp_path: Path) -> None:
    run = Program(unit='Environment=HAWQ_PRELOAD=/x.so "A=b c" PGDATA=/no odd\nRuntimeDirectory=nowhere-hawq\n')
    found = trial(tmp_path, "unix_socket_directories = '/run/nowhere-hawq'\n", run)
    assert (run.environment["HAWQ_PRELOAD"], run.environment["A"]) == ("/x.so", "b c")
    assert "PGDATA" not in run.environment
    assert "HAWQ_PRELOAD" not in os.environ
    assert not [word for command in run.asked for word in command if "/x.so" in word]
    assert found["places"] == []


def test_a_configuration_outside(tmp_path: Path) -> None:
    """It comes with the copy where the host has none; one of the host's own is used as it is."""
    text = "hba_file = '{0}/pg_hba.conf'\nssl = on\nssl_cert_file = '{0}/a.crt'\n".format(tmp_path / "there/etc")
    here, read = source(tmp_path, text, outside=True)
    run = Program()
    found = dry_start.look(here, t.cast(t.Any, run), source=read, settings={})["trial"]
    assert found["places"] == []
    assert any(word.endswith("/configuration/postgresql.conf") for word in run.asked[0])
    own = Path(here.config_directory)
    own.mkdir(parents=True)
    (own / "postgresql.conf").write_text("hba_file = '/none/hba'\n")
    (own / "environment").write_text("# x\nLD_LIBRARY_PATH = '/opt/lib'\nPGUSER = 'x'\n")
    found = dry_start.look(here, t.cast(t.Any, run), source=read, settings={})["trial"]
    assert [row["path"] for row in found["places"]] == ["/none/hba"]
    assert f"config_file={own}/postgresql.conf" in run.asked[-1]
    assert run.environment["LD_LIBRARY_PATH"] == "/opt/lib"
    assert "PGUSER" not in run.environment
    assert (own / "postgresql.conf").read_text() == "hba_file = '/none/hba'\n"


def test_what_is_read_of_a_master(tmp_path: Path) -> None:
    more = tmp_path / "more.conf"
    more.write_text("work_mem = 8MB\n")
    text = f"include_dir = 'conf.d'\ninclude 'a.conf'\ninclude_if_exists '{more}'\ninclude_if_exists '/none/x.conf'\n"
    _here, read = source(tmp_path, text)
    data = Path(read["data_directory"])
    assert [row["path"] for row in read["configuration_files"]] == ["postgresql.conf"]
    (data / "a.conf").write_text("include 'postgresql.conf'\n")
    (data / "conf.d/z.conf").write_text("\n")
    (data / "conf.d/not").write_text("\n")
    there = replace(instance_in(tmp_path), data_directory=str(data), config_directory=str(data))
    read = start_files.read(there)["source"]
    assert sorted(row["path"] for row in read["configuration_files"]) == ["a.conf", "conf.d/z.conf", "postgresql.conf"]
    assert [row["path"] for row in read["data_files"]] == ["PG_VERSION", "global/pg_control", "postgresql.auto.conf"]
    assert read["included"] == [{"setting": "include_if_exists", "path": str(more), "wanted": "read"}]


@pytest.mark.parametrize("name", ["../outside", "/etc/outside"])
def test_no_file_of_a_master_is_put_outside(tmp_path: Path, name: str) -> None:
    here, read = source(tmp_path, "")
    read["configuration_files"] = [{"path": name, "mode": "0600", "content": ""}]
    with pytest.raises(MirroringError, match="is not the name of a file below"):
        dry_start.look(here, t.cast(t.Any, Program()), source=read, settings={})
