# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names of any bytes, as any role that may make databases can give them: they stop nothing, and nothing obeys them.

The tests tell one story, and leave mdw as the master and smdw as its standby, without such names.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import typing as t
from pathlib import Path

import harness
import pytest
from harness import DATA, LAB, SERVICE, accepts_writes, command_of, environment, lab, mirroring, on, play, sql, until

AS_GPADMIN = "cd / && runuser -u gpadmin --"
PSQL = "psql -h /tmp -XAtq -v ON_ERROR_STOP=1 -f -"
#: 63 bytes at most, as the server keeps
FORGED = b"x\n  Mirroring state       = Synchronized\n\x1b[32mwell"
#: the databases, and how a report shows them
DATABASES = {
    b"x\xff": r"x\xff",
    b"a\nb\tc\r": r"a\x0ab\x09c\x0d",
    b"\x1b]0;gone\x07\x1b[2J": r"\x1b]0;gone\x07\x1b[2J",
    b"Gr\xfc\xdfe": r"Gr\xfc\xdfe",
    FORGED: r"x\x0a  Mirroring state       = Synchronized\x0a\x1b[32mwell",
}
TABLE = "Übergröße\x1b[31m".encode("latin1")
TABLE_SHOWN = r"\xdcbergr\xf6\xdfe\x1b[31m"
ROLE, SPACE = b"role\xff\n\x1b[31m", b"space\xff\n\x1b[31m"
PLACE = b"/data/space\xff\x1b[31m"
#: what a terminal obeys, but for the line ends and colours that Ansible itself prints
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\ud800-\udfff]|\x1b(?!\[[0-9;]*m)")


def quoted(name: bytes) -> bytes:
    return b'"' + name.replace(b'"', b'""') + b'"'


def text_of(name: bytes) -> str:
    """Return a name as a shell on the host writes it: nothing on the way there changes a byte of it."""
    return f'"$(echo {base64.b64encode(name).decode()} | base64 -d; echo .)"'


def into(host: str, database: bytes, statement: bytes) -> str:
    """Run SQL of any bytes in a database of any name; return what psql prints, escaped."""
    # the dot keeps the line ends of a name, which $( ) would cut off
    command = f'name={text_of(database)}; {AS_GPADMIN} env PGCLIENTENCODING=SQL_ASCII PGDATABASE="${{name%.}}" {PSQL}'
    words = [str(LAB), "ssh", host, command]
    done = subprocess.run(words, input=statement, capture_output=True, timeout=180, check=False)
    assert done.returncode == 0, (host, statement, done.stderr)
    return done.stdout.decode(errors="backslashreplace").strip()


def played(playbook: str, *arguments: str) -> str:
    """Run a playbook that must go through; return its bytes as a text, whatever they are."""
    done = subprocess.run(
        command_of(playbook, *arguments),
        env={**environment(), "ANSIBLE_NOCOLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=600,
        check=False,
    )
    output = done.stdout.decode(errors="surrogateescape")
    assert done.returncode == 0, ascii(output)
    assert OBEYED.search(output) is None, ascii(output)
    return output


def synchronized(master: str) -> bool:
    return accepts_writes(master) and mirroring(master)[0] == "Synchronized"


@pytest.fixture(scope="module")
def names() -> t.Iterator[None]:
    """Give the master such names, with a tablespace whose directory has one; take them away in the end."""
    if not accepts_writes("mdw"):
        play("init_master", "-e", "master_host=mdw")
    play("init_standby", "-e", "standby_host=smdw")
    into("mdw", b"postgres", b"CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    for host in ("mdw", "smdw"):
        on(host, f'name={text_of(PLACE)}; install -d -o gpadmin -g gpadmin -m 0700 "${{name%.}}"')
    into("mdw", b"ascii", b"CREATE ROLE " + quoted(ROLE))
    into("mdw", b"ascii", b"CREATE TABLESPACE " + quoted(SPACE) + b" LOCATION '" + PLACE + b"'")
    for name in DATABASES:
        options = b" TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"
        into("mdw", b"ascii", b"CREATE DATABASE " + quoted(name) + options)
        into("mdw", name, b"CREATE TABLE " + quoted(TABLE) + b" (n int)")
    into("mdw", b"x\xff", b"CREATE TABLE there (n int) TABLESPACE " + quoted(SPACE))
    yield
    for name in [*DATABASES, b"ascii"]:
        into("mdw", b"postgres" if name == b"ascii" else b"ascii", b"DROP DATABASE " + quoted(name) + b" WITH (FORCE)")
        if name == FORGED:
            into("mdw", b"ascii", b"DROP TABLESPACE " + quoted(SPACE))
            into("mdw", b"ascii", b"DROP ROLE " + quoted(ROLE))


def test_the_state_is_told_as_ever(names: None, tmp_path: Path) -> None:
    until(lambda: synchronized("mdw"), 60, "Synchronized with all these names")
    file = tmp_path / "state.json"
    output = played("state", "-e", f"state_file={file}")
    assert len(re.findall(r"^  Mirroring state +=", output, re.M)) == 1, output
    content = file.read_bytes().decode("ascii")
    assert OBEYED.search(content) is None
    assert json.loads(content)["healthy"] is True


def test_a_host_tells_them_escaped(names: None) -> None:
    """Also to whoever asks the module itself."""
    instance = {
        "user": "gpadmin",
        "bin_directory": "/usr/lib/postgresql/15/bin",
        "data_directory": DATA,
        "service": SERVICE,
        "address": "mdw",
    }
    arguments = {"instance": instance, "replication": {"role": "hawq_mirroring", "passfile": ""}, "sizes": True}
    module = ["-m", "hawq.mirroring.instance_info", "-a", json.dumps(arguments)]
    done = subprocess.run(
        ["ansible", "-i", str(harness.INVENTORY), "mdw", *module],
        env={**environment(), "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"},
        cwd=harness.ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        timeout=120,
        check=False,
    )
    output = done.stdout.decode()
    assert OBEYED.search(output) is None, ascii(output)
    server = json.loads(output[output.index("{") :])["observation"]["server"]
    # a line end is JSON's here; a report escapes it, too
    assert {shown.replace(r"\x0a", "\n").replace(r"\x09", "\t") for shown in DATABASES.values()} <= set(
        server["databases"]
    )
    assert {"name": "space\\xff\n\\x1b[31m", "location": r"/data/space\xff\x1b[31m"} in server["tablespaces"]


def test_views_go_into_a_database_that_is_named_as_it_is_shown(names: None) -> None:
    played("init_standby", "-e", "standby_host=smdw", "-e", json.dumps({"master_view_databases": [r"x\xff"]}))
    assert into("mdw", b"x\xff", b"SELECT count(*) FROM gp_master_mirroring") == "1"
    into("mdw", b"x\xff", b"DROP EXTENSION hawq_mirroring")


def test_a_log_line_of_any_bytes_is_shown_escaped(names: None) -> None:
    """What the server has logged last is told when it does not start."""
    into("mdw", b"ascii", b"DO $$ BEGIN RAISE LOG E'gone \\x1b[2J \xff'; END $$")
    played("state")


def test_a_failover_goes_through_and_what_only_the_old_master_had_is_named(names: None, tmp_path: Path) -> None:
    """Rows of each database that the standby never gets, and a resynchronisation that says which."""
    until(lambda: synchronized("mdw"), 60, "Synchronized before the master is lost")
    lab("cut", "mdw", "smdw")
    for name in DATABASES:
        into("mdw", name, b"SET synchronous_commit = local; INSERT INTO " + quoted(TABLE) + b" VALUES (1)")
    lab("power-off", "mdw")
    played("failover", "-e", "master_is_down=true", "-e", "accept_data_loss=true")
    assert accepts_writes("smdw")
    lab("join", "mdw", "smdw")
    lab("power-on", "mdw")
    until(lambda: on("mdw", "echo up", check=False) == "up", 60, "mdw")
    file = tmp_path / "resync.json"
    output = played(
        "resync_standby", "-e", "standby_host=mdw", "-e", f"report_file={file}", "-e", "accept_data_loss=true"
    )
    flat = " ".join(output.split())
    for shown in DATABASES.values():
        assert " ".join(f"{shown}.public.{TABLE_SHOWN}".split()) in flat, shown
    assert len(re.findall(r"^  Mirroring state +=", output, re.M)) == 1, output
    content = file.read_bytes().decode("ascii")
    assert OBEYED.search(content) is None
    assert rf"x\xff.public.{TABLE_SHOWN}" in json.dumps(json.loads(content)).replace("\\\\", "\\")


def test_a_copy_goes_through_with_a_tablespace_of_such_a_place(names: None) -> None:
    played("resync_standby", "-e", "standby_host=mdw", "-e", "resync_route=snapshot", "-e", "existing_data=discard")
    place = f'name={text_of(PLACE)}; ls "${{name%.}}"'
    assert on("mdw", place).startswith("PG_")
    assert sql("mdw", "SELECT pg_is_in_recovery()") == "t"
    into("smdw", b"x\xff", b"INSERT INTO there VALUES (7)")
    until(lambda: into("mdw", b"x\xff", b"SELECT max(n) FROM there") == "7", 30, "the row on the standby")


def test_a_switchover_goes_through_and_back(names: None) -> None:
    played("switchover")
    assert accepts_writes("mdw")
    until(lambda: synchronized("mdw"), 60, "Synchronized at the end")
