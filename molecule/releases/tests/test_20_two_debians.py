# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two hosts of different Debians: the oldest Python that is supported, and text that the two sort differently."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import ansible
import harness
import pytest

PREFIX = "/usr/local/pgsql-18"
LOCALE = "en_US.UTF-8"
ACCEPT = ("-e", "accept_collation_difference=true")
DIFFERENT = "texts are sorted by libc 2.31 on old and by libc 2.41 on new"
#: all that may run on a host
ON_HOSTS = (
    "plugins/modules",
    "plugins/module_utils/engines",
    "plugins/module_utils/host",
    "plugins/module_utils/modules",
    "plugins/module_utils/values",
)
IMPORT_ALL = """
import importlib, os, pathlib, sys
sys.path.insert(0, os.getcwd())
count = 0
for top in sys.argv[1:]:
    for path in sorted(pathlib.Path("ansible_collections/hawq/mirroring", top).rglob("*.py")):
        importlib.import_module(".".join(path.with_suffix("").parts))
        count += 1
for path in sorted(pathlib.Path("ansible_collections/hawq/mirroring/roles").glob("*/files/hawq-mirroring-*")):
    compile(path.read_text(), str(path), "exec")
    count += 1
print(count, *sys.version_info[:2])
"""


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Both have the same PostgreSQL from an archive, as people have it who build it themselves."""
    place = tmp_path_factory.mktemp("two") / "hosts.yml"
    state = "{{ lookup('ansible.builtin.env', 'LAB_STATE') }}"
    common = {
        "ansible_user": "root",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_control_path_dir": f"{state}/cp",
        "gpadmin_user_limits": {},
        "binaries_method": "archive",
        "binaries_version": 18,
        "binaries_prefix": PREFIX,
        "binaries_archive": harness.lab("archive", "18").strip(),
        "server_locale": LOCALE,
    }
    place.write_text(json.dumps({"masters": {"hosts": {"old": {}, "new": {}}, "vars": common}}))
    return str(place)


@pytest.mark.parametrize(("host", "version"), [("old", "3 9"), ("new", "3 13")])
def test_everything_loads_in_the_oldest_and_the_newest_python(host: str, version: str, tmp_path: Path) -> None:
    library = Path(ansible.__file__).parent
    pack = ["tar", "-cf", str(tmp_path / "all.tar"), "--exclude=__pycache__"]
    named = ["--transform", "s,^(plugins|roles)(/|$),ansible_collections/hawq/mirroring/\\1\\2,x"]
    ours = ["-C", str(harness.ROOT), "plugins/modules", "plugins/module_utils", "roles"]
    theirs = ["-C", str(library.parent), *(f"ansible/{name}" for name in ("module_utils", "_vendor", "release.py"))]
    subprocess.run([*pack, *named, *ours, *theirs, "ansible/__init__.py"], check=True)
    with (tmp_path / "all.tar").open("rb") as archive:
        unpack = "rm -rf /tmp/all && mkdir /tmp/all && tar -xf - -C /tmp/all"
        subprocess.run([str(harness.LAB), "ssh", host, unpack], stdin=archive, check=True)

    said = harness.on(host, f"cd /tmp/all && python3 -c '{IMPORT_ALL}' {' '.join(ON_HOSTS)}")

    count, found = said.split(" ", 1)
    assert found == version
    assert int(count) > 100


def test_a_master_under_the_oldest_python(inventory: str) -> None:
    for host in ("old", "new"):  # the C library tells a version for every locale but C; the rules do not matter here
        harness.on(host, f"cp -r /usr/lib/locale/C.[uU]* /usr/lib/locale/{LOCALE.replace('UTF-8', 'utf8')}")

    harness.play("init_master", "-i", inventory, "-e", "master_host=old")
    harness.on("old", f"ln -s {PREFIX}/bin/psql /usr/local/bin/")  # this Debian has none of its own

    assert harness.sql("old", "SHOW server_version_num").startswith("18")
    assert harness.on("old", "python3 -c 'import sys; print(*sys.version_info[:2])'") == "3 9"
    harness.sql("old", "CREATE TABLE words (word text PRIMARY KEY); INSERT INTO words SELECT generate_series(1, 1000)")


def test_another_version_of_the_sorting_rules_is_refused_unless_accepted(inventory: str) -> None:
    said = harness.flat(harness.play("init_standby", "-i", inventory, ok=False))

    assert "init_standby refused, nothing was changed" in said
    assert DIFFERENT in said
    assert ACCEPT[1] in said
    assert harness.on("new", f"! test -e {harness.DATA} && echo nothing") == "nothing"


def test_the_newer_one_takes_over_and_the_older_one_is_rewound_and_takes_back(inventory: str) -> None:
    """Boot interlock, crash recovery, rewind, switchover: all of that runs under the oldest Python, too."""
    harness.play("init_standby", "-i", inventory, *ACCEPT)
    assert harness.mirroring("old")[0] == "Synchronized"
    harness.lab("cut", "old", "new")
    harness.sql("old", "INSERT INTO words VALUES ('only the older one has it')")
    harness.lab("power-off", "old")
    harness.lab("join", "old", "new")
    loss = ("-e", "master_is_down=true", "-e", "accept_data_loss=true", "-e", "stale_seconds=3600")
    said = harness.flat(harness.play("failover", "-i", inventory, *loss))
    assert "REINDEX DATABASE postgres" in said
    harness.sql("new", "INSERT INTO words VALUES ('written by the newer one')")
    harness.lab("power-on", "old")
    state = f"systemctl is-active {harness.SERVICE}"
    harness.until(lambda: harness.on("old", state, check=False) == "failed", 60, "the interlock")
    assert "new is a master of the same system" in harness.on(
        "old", f"journalctl --no-pager -o cat -u {harness.SERVICE}"
    )

    said = harness.unwrapped(harness.play("resync_standby", "-i", inventory, *ACCEPT))

    assert "rewind" in said
    assert harness.mirroring("new")[0] == "Synchronized"
    refused = harness.flat(harness.play("switchover", "-i", inventory, ok=False))
    assert "texts are sorted by libc 2.41 on new and by libc 2.31 on old" in refused
    said = harness.flat(harness.play("switchover", "-i", inventory, *ACCEPT))
    assert "Swapped: old is the master now, new was" in said
    assert harness.mirroring("old")[0] == "Synchronized"
    found = "SELECT count(*), count(*) FILTER (WHERE word LIKE '%newer%') FROM words"
    assert harness.sql("old", found) == "1001|1"
    harness.until(lambda: harness.sql("new", found) == "1001|1", 30, "the same rows")
