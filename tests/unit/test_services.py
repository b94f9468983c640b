# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What root does for a process of the server's user, and all that it does not: the user may be somebody else by now."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import directories, lock, module, neighbours, services
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.values import places

DATA = "/data/hawq/master"
USER = "nobody"
ADDRESS = "192.0.2.10/24"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give directories away")

SCOPE = services.Scope(
    user=USER,
    unit="hawq-master",
    data_directory=DATA,
    named=(DATA, "/etc/postgresql/15/main", "/opt/spaces/fast"),
    address=(ADDRESS, "eth0"),
    texts=("text",),
)


class Host:
    """A host whose programs only say what they were called with, and which directories were asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, scope: services.Scope = SCOPE) -> None:
        self.ran: list[t.Any] = []
        self.done: list[t.Any] = []
        self.code, self.errors = 0, ""
        self.offered = services.offered(scope, t.cast("t.Any", self.run))
        for name in ("make", "rename", "remove", "write", "unlink"):
            monkeypatch.setattr(directories, name, lambda *given, name=name: self.done.append((name, *given)))

    def run(self, command: list[str], timeout: float = 30) -> tuple[int, str, str]:
        self.ran.append((command, timeout))
        return self.code, "out", self.errors

    def ask(self, service: str, *arguments: t.Any) -> t.Any:
        return self.offered[service](*arguments)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(monkeypatch)


def test_these_are_all_services(host: Host) -> None:
    """Each further one is something that whoever has taken the user over may ask of root: think of that first."""
    assert sorted(host.offered) == [
        "address_elsewhere",
        "lock",
        "make_directory",
        "mark_removed",
        "permit",
        "remove_directory",
        "rename",
        "run",
        "start_job",
        "unlink",
        "unlink_extension",
        "unlock",
        "unmark_removed",
        "write",
        "write_extension",
    ]


# commands

ARPING = ["arping", "-D", "-q", "-c", "1", "-w", "1", "-I"]
PERMITTED = [
    *(["systemctl", verb, "hawq-master"] for verb in ("start", "stop", "restart", "reload", "reset-failed")),
    ["systemctl", "start", "hawq-master.service"],
    ["systemctl", "stop", "--no-block", "hawq-master"],
    ["systemctl", "stop", "hawq-mirroring-snapshot-hawq-master.service"],
    ["systemctl", "reset-failed", "hawq-mirroring-snapshot-hawq-master.service"],
    ["systemctl", "restart", "hawq-mirroring-virtual-ip-hawq-master.service"],
    ["journalctl", "--unit", "hawq-master", "-n", "4", "-o", "cat"],
    ["journalctl", "--unit", "hawq-master", "-n", "20", "-o", "cat"],
    ["journalctl", "--unit", "hawq-master", "-n", "60", "-o", "cat"],
    ["ip", "address", "delete", ADDRESS, "dev", "eth0"],
]
REFUSED: list[t.Any] = [
    [],
    [""],
    ["sh", "-c", "id"],
    ["/usr/bin/systemctl", "stop", "hawq-master"],
    ["systemctl"],
    ["systemctl", "stop"],
    ["systemctl", "stop", "sshd.service"],
    ["systemctl", "stop", "hawq-master", "sshd.service"],
    ["systemctl", "enable", "hawq-master"],
    ["systemctl", "disable", "hawq-master"],
    ["systemctl", "mask", "hawq-master"],
    ["systemctl", "edit", "hawq-master"],
    ["systemctl", "daemon-reload"],
    ["systemctl", "link", "/data/evil.service"],
    ["systemctl", "set-property", "hawq-master", "User=root"],
    ["systemctl", "--root=/data", "stop", "hawq-master"],
    ["systemctl", "-H", "elsewhere", "stop", "hawq-master"],
    ["systemctl", "stop", "hawq-master*"],
    ["systemctl", "stop", "hawq-master\n"],
    ["systemctl", "start", "hawq-master.service.d"],
    ["systemctl", "start", ""],
    ["systemctl", "start", ".service"],
    ["systemctl", "--no-block", "stop"],
    ["systemctl", "--no-block"],
    ["systemctl", "start", ["hawq-master"]],
    ["systemctl", "start", None],
    ["systemctl", ["start"], "hawq-master"],
    ["journalctl"],
    ["journalctl", "--unit"],
    ["journalctl", "--unit", "sshd.service", "-n", "4", "-o", "cat"],
    ["journalctl", "--unit", "hawq-master", "-n", "4000", "-o", "cat"],
    ["journalctl", "--unit", "hawq-master", "-n", "4", "-o", "cat", "--file=/etc/shadow"],
    ["journalctl", "--unit", "hawq-master", "--vacuum-size=1"],
    [*ARPING, "eth0", "192.0.2.10"],
    [*ARPING[:1], "-f", *ARPING[1:], "eth0", "192.0.2.10"],
    [*ARPING[:6], "100000", *ARPING[7:], "eth0", "192.0.2.10"],
    [*ARPING, "eth0", "example.org"],
    ["ip", "address", "delete"],
    ["ip", "address", "delete", "192.0.2.1/24", "dev", "eth0"],
    ["ip", "address", "delete", ADDRESS, "dev", "eth1"],
    ["ip", "address", "delete", ADDRESS, "dev"],
    ["ip", "address", "delete", ADDRESS, "dev", "eth0", "eth1"],
    ["ip", "address", "add", ADDRESS, "dev", "eth0"],
    ["ip", "address", "flush", "dev", "eth0"],
    ["ip", "-batch", "/data/evil"],
    ["ip", "netns", "exec", "x", "sh"],
    "systemctl stop hawq-master",
]


@pytest.mark.parametrize("command", PERMITTED, ids=" ".join)
def test_a_command_that_is_permitted_runs_as_it_is(host: Host, command: list[str]) -> None:
    assert host.ask("run", command, 10) == (0, "out", "")
    assert host.ran == [(command, 10.0)]


@pytest.mark.parametrize("command", REFUSED, ids=ascii)
def test_any_other_command_is_refused(host: Host, command: t.Any) -> None:
    with pytest.raises(MirroringError, match="root does not do this for the database's user"):
        host.ask("run", command, 10)
    assert host.ran == []


@pytest.mark.parametrize("limit", ["--preserve-status", "10; id", None, [], "-s KILL"], ids=repr)
def test_a_time_limit_is_a_number(host: Host, limit: t.Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        host.ask("run", PERMITTED[0], limit)
    assert host.ran == []


@pytest.mark.parametrize("address", [("", ""), (ADDRESS, ""), ("", "eth0")])
@pytest.mark.parametrize("command", PERMITTED[-1:], ids=" ".join)
def test_without_an_address_that_follows_the_master_none_is_touched(
    monkeypatch: pytest.MonkeyPatch, address: tuple[str, str], command: list[str]
) -> None:
    host = Host(monkeypatch, SCOPE._replace(address=address))
    with pytest.raises(MirroringError):
        host.ask("run", command, 10)
    with pytest.raises(MirroringError):
        host.ask("run", [*command[:-1], ""], 10)
    with pytest.raises(MirroringError):
        host.ask("address_elsewhere")
    assert host.ran == []


def test_who_else_has_the_address_is_asked_of_that_one_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked for is not the user's to say."""
    host, asked = Host(monkeypatch), []
    monkeypatch.setattr(neighbours, "answering", lambda *words: asked.append(words) or ["02:00:00:00:00:02"])
    monkeypatch.setattr(neighbours, "named_in", lambda *words: asked.append(words) or [])
    assert host.ask("address_elsewhere") == {"answering": ["02:00:00:00:00:02"], "named_in": []}
    assert asked == [(ADDRESS, "eth0"), (ADDRESS,)]
    with pytest.raises(TypeError):
        host.ask("address_elsewhere", "192.0.2.11")


def test_without_a_unit_no_unit_is_the_databases(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch, SCOPE._replace(unit=""))
    for name in ("", ".service"):
        with pytest.raises(MirroringError):
            host.ask("run", ["systemctl", "start", name], 10)


# places

BESIDE = [DATA, f"{DATA}.hawq-snapshot", f"{DATA}.hawq-rewind", f"{DATA}.kept-20260101T000000", f"{DATA}.hawq-lost-0-1"]
NAMED = [
    "/etc/postgresql/15/main",
    "/etc/postgresql/15/main/conf.d",
    "/opt/spaces/fast",
    "/opt/spaces/fast/PG_15",
    f"{DATA}/pg_wal",
]
OUTSIDE = ["/srv/spaces/one", "/mnt/disk/one", "/srv/space", "/srv/\udcff\n"]
SYSTEMS = [
    "/etc/cron.d",
    "/etc/systemd/system/ssh.service.d",
    "//etc/systemd/system/ssh.service.d",
    "///etc/sudoers.d",
    "/./etc/sudoers.d",
    "/etc",
    "/usr/local/bin/x",
    "/usr/lib/python3/dist-packages/x",
    "/root/.ssh",
    "/home/other/.ssh",
    "/tmp/x",
    "/var/spool/cron/crontabs",
    "/var/lib/x",
    "/run/systemd/system/x.service.d",
    "/run/sudo",
    "/opt/spaces/slow",
    "/opt/spaces/faster",
    "/opt/spaces",
    "/etc/postgresql/15/main2",
    "/proc/x",
    "/dev/shm/x",
    "/lib/systemd/system/x.d",
    "/bin/x",
    "/sbin/x",
    # at the top: names that the system may know
    "/.autorelabel",
    "/nowhere-yet/one",
    "/srv",
]
ASTRAY = [
    f"{DATA}/../../etc/x",
    f"{DATA}.hawq-snapshot/../../../etc/cron.d/x",
    "/opt/spaces/fast/../slow",
    "/data/..",
    "relative/path",
    "",
    ".",
    ".hawq-x",
]


@pytest.mark.parametrize("path", [*BESIDE, *NAMED, *OUTSIDE], ids=ascii)
def test_a_directory_is_made_where_a_databases_files_may_be(host: Host, path: str) -> None:
    host.ask("make_directory", path, 0o700)
    assert [entry[:2] for entry in host.done] == [("make", path)]
    assert host.done[0][2].pw_name == USER


@pytest.mark.parametrize("path", [*SYSTEMS, *ASTRAY], ids=ascii)
def test_a_directory_is_not_made_in_the_systems_places(host: Host, path: str) -> None:
    with pytest.raises(MirroringError, match="install -d -o nobody -m 0700"):
        host.ask("make_directory", path, 0o700)
    assert host.done == []


def test_without_a_data_directory_nothing_is_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch, SCOPE._replace(data_directory="", named=()))
    for path in (".hawq-x", ".kept-x", "", "/etc/x"):
        with pytest.raises(MirroringError):
            host.ask("make_directory", path, 0o700)
    assert host.done == []


def test_a_link_out_of_the_databases_places_is_followed_before_that_is_judged(host: Host, tmp_path: Path) -> None:
    """A path below /tmp stands for one outside of the system: what it leads to is what counts."""
    (tmp_path / "link").symlink_to("/etc")
    assert services._system(f"{tmp_path}/link/cron.d")


@pytest.mark.parametrize(
    ("asked", "given"),
    [(0o700, 0o700), (0o750, 0o750), (0o755, 0o755), (0o777, 0o755), (0o4755, 0o755), (0o6777, 0o755), (0o1777, 0o755)],
    ids=oct,
)
def test_nobody_else_may_write_there_and_nothing_there_gives_rights(host: Host, asked: int, given: int) -> None:
    host.ask("make_directory", DATA, asked)
    assert host.done[0][3] == given


@pytest.mark.parametrize(
    ("path", "empty", "adopted"),
    [
        (DATA, True, True),
        (DATA, False, False),
        ("/opt/spaces/fast", True, True),
        ("/opt/spaces/fast", False, False),
        (f"{DATA}.hawq-snapshot", False, True),
        (f"{DATA}.kept-20260101T000000", False, False),
        ("/srv/spaces/one", True, False),
    ],
)
def test_a_directory_of_roots_is_given_away_only_where_it_was_meant_for_the_user(
    host: Host, monkeypatch: pytest.MonkeyPatch, path: str, empty: bool, adopted: bool
) -> None:
    monkeypatch.setattr(directories, "is_empty", lambda _path: empty)
    host.ask("make_directory", path, 0o700)
    assert host.done[0][4] is adopted


KEPT = ".kept-20260101T000000"
RENAMED = [
    (DATA, DATA + KEPT),
    (DATA + KEPT, DATA),
    (f"{DATA}.hawq-snapshot/unverified-copy", DATA),
    (DATA, f"{DATA}.hawq-snapshot/old"),
    (DATA, f"{DATA}.hawq-discarded"),
    ("/spaces/one", "/spaces/one" + KEPT),
    # a tablespace whose place only the database knows: its own name stays the beginning of the new one
    ("/var/lib/space", "/var/lib/space" + KEPT),
    ("/var/lib/space" + KEPT, "/var/lib/space"),
]
NOT_RENAMED = [
    (DATA, "/etc/cron.d"),
    ("/spaces/mine", "/etc/systemd/system/ssh.service.d"),
    ("/spaces/mine", "//etc/systemd/system/ssh.service.d"),
    ("/home/nobody/x", "/root/.config"),
    (f"{DATA}.hawq-snapshot/x", "/usr/lib/python3/dist-packages/evil"),
    ("/home/nobody/x", DATA),
    ("/tmp/mine", DATA),
    ("/etc/x", "/etc/y"),
    ("/etc/x", f"/etc/x{KEPT}/../y"),
    ("/etc/x", "/etc/x.kept-"),
    ("/etc/x", "/etc/x.kept-20260101T000000.d"),
    ("/etc/x", "/etc/y.kept-20260101T000000"),
    (f"{DATA}/../../etc/x", f"{DATA}/../../etc/y"),
    ("", ""),
    ("relative", "elsewhere"),
]


@pytest.mark.parametrize(("old", "new"), RENAMED)
def test_a_directory_is_renamed_between_the_databases_places(host: Host, old: str, new: str) -> None:
    host.ask("rename", old, new)
    # where the data directory goes an empty one of root's may be
    assert host.done == [("rename", old, new, pwd.getpwnam(USER), new == DATA)]


@pytest.mark.parametrize(("old", "new"), NOT_RENAMED)
def test_a_directory_of_the_users_gets_no_name_that_the_system_reads(host: Host, old: str, new: str) -> None:
    """A directory named for a unit, for example, is read by systemd whoever owns it."""
    with pytest.raises(MirroringError, match="root does not do this"):
        host.ask("rename", old, new)
    assert host.done == []


def test_an_empty_directory_is_removed_as_the_users(host: Host) -> None:
    host.ask("remove_directory", "/spaces/one")
    assert host.done == [("remove", "/spaces/one", pwd.getpwnam(USER))]


NOTES = [
    f"{DATA}.hawq-unfinished",
    f"{DATA}.hawq-snapshot/request.json",
    "/run/hawq-mirroring-snapshot-hawq-master.log",
]
NO_NOTES = [
    "/etc/passwd",
    "/run/hawq-mirroring-hawq-master.start",
    f"{DATA}/PG_VERSION",
    f"{DATA}.hawq-unfinished/",
    f"{DATA}.hawq-unfinished/../x",
    f"/{DATA}.hawq-unfinished",
    f"{DATA}.hawq-other",
    "/data/hawq/other.hawq-unfinished",
    ".hawq-unfinished",
    "",
]


@pytest.mark.parametrize("path", NOTES)
def test_the_notes_are_written_and_removed(host: Host, path: str) -> None:
    host.ask("write", path, "text\udcff")
    host.ask("unlink", path)
    assert host.done == [("write", path, "text\udcff"), ("unlink", path)]


@pytest.mark.parametrize("path", NO_NOTES)
@pytest.mark.parametrize(("service", "given"), [("write", ["text"]), ("unlink", [])], ids=["write", "unlink"])
def test_nothing_but_the_notes_is(host: Host, path: str, service: str, given: list[str]) -> None:
    with pytest.raises(MirroringError, match="root does not do this"):
        host.ask(service, path, *given)
    assert host.done == []


def test_without_a_data_directory_there_are_no_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(monkeypatch, SCOPE._replace(data_directory=""))
    for path in (".hawq-unfinished", *NOTES):
        with pytest.raises(MirroringError):
            host.ask("unlink", path)
    assert host.done == []


RUN = "switchover-20261127T074408Z-3f9a"


def test_one_start_is_permitted_and_not_any_more(host: Host) -> None:
    host.ask("permit", RUN)
    host.ask("permit", None)
    assert host.done == [
        ("write", places.permission(SCOPE.unit), f"{RUN}\n"),
        ("unlink", places.permission(SCOPE.unit)),
    ]


@pytest.mark.parametrize("run", ["", True, f"{RUN}\n", "x" * 4096])
def test_a_permission_without_a_run_is_refused(host: Host, run: object) -> None:
    """An empty one would be an operator's, which is good for ever."""
    with pytest.raises(MirroringError, match="root does not do this"):
        host.ask("permit", run)
    assert host.done == []


def test_the_mark_of_deleted_data_names_this_clusters_and_nothing_else(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.ask("mark_removed")
    host.ask("unmark_removed")
    told = json.dumps({"data_directory": SCOPE.data_directory}) + "\n"
    assert host.done == [("write", places.removed(SCOPE.unit), told), ("unlink", places.removed(SCOPE.unit))]
    with pytest.raises(TypeError):
        host.ask("mark_removed", "/data/another")
    other = Host(monkeypatch, SCOPE._replace(data_directory=""))
    with pytest.raises(MirroringError, match="root does not do this"):
        other.ask("mark_removed")
    assert other.done == []


def test_the_lock_is_held_from_one_question_to_another(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    @contextlib.contextmanager
    def held(name: str, unit: str) -> t.Iterator[None]:
        assert unit == SCOPE.unit
        said.append(f"{name} held")
        yield
        said.append(f"{name} free")

    monkeypatch.setattr(lock, "held", held)
    host.ask("lock", lock.READERS)
    host.ask("lock", lock.CHANGES)
    host.ask("unlock", lock.READERS)
    assert said == ["readers held", "changes held", "readers free"]
    host.ask("unlock", lock.CHANGES)
    assert said[3:] == ["changes free"]
    with pytest.raises(KeyError):
        host.ask("lock", "/etc/passwd")


# the extension's files


@pytest.fixture
def extension(host: Host, tmp_path: Path) -> str:
    (tmp_path / "plpgsql.control").touch()
    return str(tmp_path)


@pytest.mark.parametrize(
    "name", ["hawq_mirroring.control", "hawq_mirroring--1.0.sql", "hawq_mirroring--1.0--1.1.sql", "hawq_mirroring.sql"]
)
def test_the_extensions_own_files_are_written(host: Host, extension: str, name: str) -> None:
    host.ask("write_extension", extension, name, "text")
    host.ask("unlink_extension", extension, name)
    assert host.done == [("write", f"{extension}/{name}", "text"), ("unlink", f"{extension}/{name}")]


def test_another_text_than_the_collections_is_refused(host: Host, extension: str) -> None:
    """The superuser of another cluster may install what stands there."""
    with pytest.raises(MirroringError, match="another text"):
        host.ask("write_extension", extension, "hawq_mirroring.control", "CREATE ROLE mine SUPERUSER")
    assert host.done == []


@pytest.mark.parametrize(
    "name",
    [
        "plpgsql.control",
        "hawq_mirroring.so",
        "../hawq_mirroring.sql",
        "hawq_mirroring--1.0.sql/x",
        "hawq_mirroring.sql\n",
        "hawq_mirroring--../x--1.0.sql",
        "xhawq_mirroring.sql",
        "",
    ],
    ids=ascii,
)
def test_no_other_file_is_written_there(host: Host, extension: str, name: str) -> None:
    with pytest.raises(MirroringError, match="root does not do this"):
        host.ask("write_extension", extension, name, "text")
    with pytest.raises(MirroringError, match="root does not do this"):
        host.ask("unlink_extension", extension, name)
    assert host.done == []


def test_nor_are_they_written_anywhere_else(host: Host, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        host.ask("write_extension", str(tmp_path), "hawq_mirroring.control", "text")
    with pytest.raises(FileNotFoundError):
        host.ask("unlink_extension", str(tmp_path), "hawq_mirroring.control")
    assert host.done == []


# the snapshot's job

JOB: dict[str, t.Any] = {
    "before": ["/bin/copy", "a b"],
    "command": ["/bin/verify", "--quiet"],
    "after": ["/usr/bin/touch", "/data/v"],
    "timeout": 60,
}
QUOTED = {
    "plain": (["/bin/true", "a"], '"/bin/true" "a"'),
    "blank": (["/a b", "c d"], '"/a b" "c d"'),
    "quotes": (["/x", "a\"b'c"], '"/x" "a\\"b\'c"'),
    "backslash": (["/x", "a\\b"], '"/x" "a\\\\b"'),
    "variable": (["/x", "${HOME} $x"], '"/x" "$${HOME} $$x"'),
    "empty": (["/x", ""], '"/x" ""'),
    "line end": (["/x", "a\nExecStart=+/bin/sh"], '"/x" "a\\nExecStart=+/bin/sh"'),
    "semicolon": (["/x", ";", "/bin/sh"], '"/x" ";" "/bin/sh"'),
    "prefixes behind": (["/x", "+/bin/sh", "-", "!!"], '"/x" "+/bin/sh" "-" "!!"'),
    "specifier": (["/x", "%h"], '"/x" "%h"'),
    "quote and line end": (["/x", '"\n'], '"/x" "\\"\\n"'),
    "backslash at the end": (["/x", "a\\"], '"/x" "a\\\\"'),
}


@pytest.mark.parametrize(("words", "text"), QUOTED.values(), ids=QUOTED)
def test_a_command_is_quoted_as_systemd_reads_it(words: list[str], text: str) -> None:
    assert services._quoted(words) == text


@pytest.mark.parametrize("part", ["before", "command", "after"])
@pytest.mark.parametrize(
    "program", ["+/bin/sh", "-/bin/sh", ":/bin/sh", "!/bin/sh", "!!/bin/sh", "@/bin/sh", "sh", "", " /bin/sh"]
)
def test_no_prefix_makes_a_program_roots(host: Host, part: str, program: str) -> None:
    """systemd would run ``+/bin/sh`` with all rights, whatever the unit's user is."""
    with pytest.raises(MirroringError, match="root does not do this"):
        host.ask("start_job", {**JOB, part: [program, "-c", "id"]})
    with pytest.raises(MirroringError, match="root does not do this"):
        host.ask("start_job", {**JOB, part: []})
    assert host.ran == []


@pytest.mark.parametrize(
    "wrong", [{"before": [5]}, {"command": [None]}, {"timeout": "5\nUser=root"}, {"timeout": None}]
)
def test_what_is_no_job_is_not_started(host: Host, wrong: dict[str, t.Any]) -> None:
    with pytest.raises((TypeError, ValueError, AttributeError, MirroringError)):
        host.ask("start_job", {**JOB, **wrong})
    assert host.ran == []


def test_the_job_runs_as_the_user_whatever_is_asked_for(host: Host) -> None:
    host.ask("start_job", {**JOB, "User": "root", "properties": {"User": "root"}})
    ((command, _timeout),) = host.ran
    options, program = command[: command.index("--")], command[command.index("--") + 1 :]
    assert program == JOB["command"]
    assert options[0] == "systemd-run"
    given = [word.removeprefix("--property=") for word in options if word.startswith("--property=")]
    assert [word for word in given if word.startswith("User=")] == [f"User={USER}"]
    assert "NoNewPrivileges=yes" in given
    assert "UMask=0077" in given
    assert "TimeoutStartSec=60s" in given
    assert 'ExecStartPre="/bin/copy" "a b"' in given
    assert 'ExecStartPost="/usr/bin/touch" "/data/v"' in given
    assert f"--unit={places.snapshot_unit(SCOPE.unit)}" in options


def test_a_job_that_is_there_already_is_attached_to(host: Host) -> None:
    host.code, host.errors = 1, "Unit hawq-mirroring-snapshot-hawq-master.service was already loaded"
    host.ask("start_job", JOB)
    host.errors = "no room\nat all"
    with pytest.raises(MirroringError, match="no room at all"):
        host.ask("start_job", JOB)


# what a module's options let root do


def test_the_scope_is_what_the_operator_has_said() -> None:
    options = {
        "instance": {"data_directory": DATA, "config_directory": "/etc/db", "service": "hawq-master"},
        "virtual_ip": {"address": ADDRESS, "interface": "eth0"},
    }
    found = module.scope_of(USER, options, ["/spaces/one", ""])
    assert found == services.Scope(USER, "hawq-master", DATA, (DATA, "/etc/db", "/spaces/one"), (ADDRESS, "eth0"))
    # the module that is about nothing but the address
    found = module.scope_of("", {"address": ADDRESS, "interface": "eth0", "timeout": 30}, [])
    assert found == services.Scope("", "", "", (), (ADDRESS, "eth0"))
    # one that knows of no such address has another option of that name
    assert module.scope_of(USER, {"address": "mdw"}, []).address == ("mdw", "")


@as_root
def test_a_directory_of_the_users_does_not_become_a_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For real: what is asked for is refused although the file system would do it."""
    account = pwd.getpwnam(USER)
    mine = tmp_path / "mine"
    mine.mkdir()
    os.chown(mine, account.pw_uid, account.pw_gid)
    units = tmp_path / "units"
    units.mkdir(mode=0o755)
    offered = services.offered(SCOPE, t.cast("t.Any", None))
    with pytest.raises(MirroringError):
        offered["rename"](str(mine), str(units / "ssh.service.d"))
    assert mine.is_dir()
    assert not (units / "ssh.service.d").exists()
