# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The database's user is taken over on both hosts, and owns the directory that its data directory lies in.

Whatever it puts where the playbooks work, before or in the middle of a run: nothing of root's is read, written or given
away, the run ends by itself, and once the place is as it should be the same command works.
"""

from __future__ import annotations

import contextlib
import typing as t

import pytest
from harness import lab, mirroring, on, play, sql

HOSTS = ("mdw", "smdw")
HOME = "/home/gpadmin"
DATA = f"{HOME}/db/master"
HERE = ("-e", f"server_data_directory={DATA}", "-e", f"data_directory_path={DATA}")
#: what is root's and must stay as it is
FILE, DIRECTORY, OPEN = "/etc/canary", "/root/canary.d", "/srv/canary.d"
EXCHANGER = "/tmp/exchanger.py"


def canaries() -> dict[str, str]:
    """Return owner, mode, times and contents of what is root's, on both hosts."""
    own = f"{FILE} {DIRECTORY} {DIRECTORY}/* {OPEN} {OPEN}/*"
    looks = f"stat -c '%n %u %g %a %Y %i %h %F' {own} /etc/cron.d /etc/sudoers.d /etc/shadow /etc/ssh /srv"
    texts = f"cat {FILE} {DIRECTORY}/* {OPEN}/*; ls -A /root /etc/cron.d /etc/ssh /srv"
    return {host: on(host, f"{looks}; {texts}") for host in HOSTS}


def attack(host: str, command: str) -> None:
    """Do something as the database's user, as far as that can."""
    on(host, f"cd / && runuser -u gpadmin -- sh -c '{command}'", check=False)


def run(playbook: str, *arguments: str) -> str:
    """Run a playbook that ends by itself, well or not."""
    with contextlib.suppress(AssertionError):
        return well(playbook, *arguments)
    return ""


def well(playbook: str, *arguments: str) -> str:
    """Run a playbook that ends well."""
    return play(playbook, *HERE, *arguments, timeout=400)


@pytest.fixture(scope="module", autouse=True)
def made() -> None:
    for host in HOSTS:
        on(host, f"echo secret > {FILE}; chmod 600 {FILE}; mkdir -p {DIRECTORY} {OPEN}; chmod 700 {DIRECTORY}")
        on(host, f"echo secret > {DIRECTORY}/file; echo text > {OPEN}/file")
        on(host, f"systemctl disable --now hawq-master.service; rm -rf /data/hawq /data/spaces {HOME}/db", check=False)
        # the other pair's interlock would ask for its data
        on(host, "rm -rf /etc/hawq-mirroring /etc/systemd/system/hawq-master.service*; systemctl daemon-reload")
        on(host, f"id gpadmin || useradd -m gpadmin; install -d -o gpadmin -g gpadmin -m 700 {HOME}/db")
    well("init_master", "-e", "master_host=mdw")
    sql("mdw", "CREATE TABLE IF NOT EXISTS kept (n int)")
    well("init_standby")


@pytest.fixture(autouse=True)
def nothing_of_roots(made: None) -> t.Iterator[None]:
    """No test may change what is root's, and after each the pair is well again by the same command."""
    before = canaries()
    yield
    assert canaries() == before
    well("init_standby")
    assert mirroring("mdw")[0] == "Synchronized"
    assert canaries() == before


KINDS = {
    "link to a file": f"ln -s {FILE}",
    "link to a directory": f"ln -s {OPEN}",
    "dangling link": f"ln -s {OPEN}/new",
    "pipe": "mkfifo",
    "directory": "mkdir",
}
FILES = [
    f"{HOME}/.bash_profile",
    f"{HOME}/.pgpass",
    f"{HOME}/.ssh/authorized_keys",
    f"{HOME}/.ssh/known_hosts",
    f"{HOME}/.ssh/id_ed25519.pub",
    f"{DATA}/pg_hba.conf",
    f"{DATA}/postgresql.auto.conf",
    f"{DATA}/standby.signal",
    f"{DATA}/hawq_mirroring.fence",
    f"{DATA}.hawq-unfinished",
]
DIRECTORIES = [f"{HOME}/.ssh", f"{DATA}.hawq-snapshot", f"{DATA}.hawq-rewind"]


@pytest.mark.parametrize(
    ("paths", "kind"),
    [*((FILES, kind) for kind in KINDS), (DIRECTORIES, "link to a directory"), (DIRECTORIES, "pipe")],
    ids=[*KINDS, "directory that is a link", "directory that is a pipe"],
)
def test_what_is_no_file_of_its_own(paths: list[str], kind: str) -> None:
    """All places at once on the standby's host: looking and a run end, whatever they say."""
    for path in paths:
        attack("smdw", f"mv {path} {path}.away 2>/dev/null; {KINDS[kind]} {path}")
    try:
        run("state")
        run("init_standby")
    finally:
        for path in paths:
            attack("smdw", f"rm -rf {path}; mv {path}.away {path} 2>/dev/null")


#: replaces what appears in the directories given, again and again, by a link to a directory or file of root's
EXCHANGE = """
import ctypes, os, select, struct, sys, time
libc = ctypes.CDLL(None)
watch = libc.inotify_init1(os.O_NONBLOCK)
targets = ["/etc/canary", "/root/canary.d", "/srv/canary.d"]
kept, count, end = {}, 0, time.time() + float(sys.argv[1])
def add(path):
    kept[libc.inotify_add_watch(watch, path.encode(), 0x100 | 0x80)] = path
for path in sys.argv[2:]:
    os.path.isdir(path) and add(path)
while time.time() < end:
    if not select.select([watch], [], [], 0.2)[0]:
        continue
    events = os.read(watch, 65536)
    while events:
        number, _mask, _cookie, length = struct.unpack_from("iIII", events)
        name = events[16:16 + length].rstrip(b"\\0").decode()
        events = events[16 + length:]
        path = os.path.join(kept.get(number, "/nowhere"), name)
        if os.path.islink(path) or path.endswith(".exchanged"):
            continue
        try:
            os.rename(path, path + ".exchanged")
            os.symlink(targets[count % 3], path)
            count += 1
        except OSError:
            pass
print(count)
"""


WATCHED = {"mdw": f"{HOME} {HOME}/.ssh {HOME}/db", "smdw": f"{HOME} {HOME}/.ssh {HOME}/db {DATA} {DATA}/pg_wal"}


@pytest.mark.parametrize("host", WATCHED)
def test_what_is_exchanged_between_look_and_act(host: str) -> None:
    """The run may fail, since what its own user makes is taken from it; nothing else comes of it."""
    on(host, f"cat > {EXCHANGER} <<'END'\n{EXCHANGE}END")
    on(host, f"systemd-run --quiet --unit=exchanger -p User=gpadmin python3 {EXCHANGER} 60 {WATCHED[host]}")
    if host == "smdw":
        run("resync_standby", "-e", "resync_route=snapshot")
    attack(host, f"rm -f {HOME}/.pgpass {HOME}/.bash_profile {HOME}/.ssh/known_hosts")
    run("init_standby")
    on(host, "systemctl stop exchanger", check=False)
    assert on(host, f"find {HOME} -name '*.exchanged'") != "", "nothing was exchanged"
    on(host, f"find {HOME} -maxdepth 2 '(' -type l -o -name '*.exchanged' ')' -delete")
    if host == "smdw":  # it has damaged its own data, too
        on(host, f"systemctl stop hawq-master; rm -rf {HOME}/db/*", check=False)


def test_a_salvage_into_links() -> None:
    """The rows that only the old master has come over, or the failover is refused; root's files stay (A3)."""
    lab("cut", *HOSTS)
    sql("mdw", "INSERT INTO kept SELECT generate_series(1, 100)")
    segment = sql("mdw", "SELECT pg_walfile_name(pg_current_wal_lsn())")
    on("mdw", f"kill -9 $(head -1 {DATA}/postmaster.pid)")
    lab("join", *HOSTS)
    attack("smdw", f"ln -s {FILE} {DATA}/pg_wal/{segment}.hawq; ln -s {DIRECTORY} {DATA}.hawq-salvage")
    attack("mdw", f"ln -s {FILE} {DATA}/pg_wal/{segment}.hawq")
    run("failover")
    attack("smdw", f"rm -f {DATA}.hawq-salvage")
    well("failover")
    assert sql("smdw", "SELECT count(*) FROM kept") == "100"
    # root's places stay root's when the old master comes back by each way, whatever lies in its own
    attack("mdw", f"ln -s {DIRECTORY} {DATA}.hawq-rewind; rm -f {DATA}/pg_wal/*.hawq")
    run("resync_standby")
    attack("mdw", f"rm -f {DATA}.hawq-rewind")
    well("resync_standby")
    well("switchover")


def test_a_tablespace_where_the_database_says_so() -> None:
    """Its place is a word of the database's: root makes none among the system's, and gives none away (A5)."""
    attack("mdw", f"mkdir {HOME}/space")
    sql("mdw", f"CREATE TABLESPACE space LOCATION '{HOME}/space'")
    oid = sql("mdw", "SELECT oid FROM pg_tablespace WHERE spcname = 'space'")
    for place in ("/etc/ssh/sshd_config.d/space", OPEN, DIRECTORY, "/root/.space", "/usr/local/space"):
        attack("mdw", f"ln -sfn {place} {DATA}/pg_tblspc/{oid}")
        run("resync_standby", "-e", "resync_route=snapshot")
        assert on("smdw", f"stat -c %U {place} 2>/dev/null", check=False) in ("", "root")
    attack("mdw", f"ln -sfn {HOME}/space {DATA}/pg_tblspc/{oid}")
    well("init_standby", "-e", "existing_data=discard")
    sql("mdw", "DROP TABLESPACE space")


def test_settings_that_lead_elsewhere() -> None:
    """A superuser of the database names root's files: they are neither read nor written (A1, A6)."""
    auto = f"{DATA}/postgresql.auto.conf"
    on("smdw", f"cp -p {auto} {auto}.away")
    on("smdw", "mkfifo /tmp/pipe; chmod 666 /tmp/pipe")
    keys = f"sslkey=engine:/tmp/key sslcert={FILE} service=x passfile={FILE}"
    for words in (keys, "passfile=/tmp/pipe sslrootcert=/tmp/pipe"):
        on("smdw", f"echo \"primary_conninfo = 'host=mdw user=hawq_mirroring {words}'\" >> {auto}")
        run("state")
    on("smdw", f"mv {auto}.away {auto}; rm -f /tmp/pipe")
    sql("mdw", f"ALTER SYSTEM SET hba_file = '{FILE}'")
    assert "secret" not in run("state") + run("init_standby", "--check", "--diff")
    sql("mdw", "ALTER SYSTEM RESET hba_file")
