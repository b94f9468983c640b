# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The identity of a run: one for all hosts and all plays of a process, another for every other process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.values import identity

ROOT = Path(__file__).parents[2]
PLAY = """
- hosts: masters
  gather_facts: false
  strategy: ansible.builtin.linear
  tasks:
    - hawq.mirroring.options: {workflow: %s}
      register: checked
    - ansible.builtin.debug: {msg: "ran={{ checked.run }}."}
"""


def runs(place: Path, *arguments: str) -> list[str]:
    """Return the identity that each of three hosts has in each of two plays."""
    (place / "plays.yml").write_text(PLAY % "switchover" + PLAY % "resync_standby")
    (place / "hosts").write_text("[masters]\nmdw\nsmdw\nthird\n")
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    done = subprocess.run(
        [program, "-i", str(place / "hosts"), str(place / "plays.yml"), *arguments],
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return re.findall(r"ran=(\S+)\.", done.stdout)


def test_all_hosts_and_plays_of_a_process_have_one_and_no_other_process_has_it(tmp_path: Path) -> None:
    first, second = runs(tmp_path, "--forks=1"), runs(tmp_path, "--forks=3")
    for found in (first, second):
        assert len(found) == 6
        assert len(set(found)) == 1
        assert identity.is_one(found[0])
        assert found[0].startswith("switchover-")
    assert first[0] != second[0]


@pytest.mark.parametrize(
    ("text", "is_one"),
    {
        "one": ("switchover-20261127T074408Z-3f9a", True),
        "with an underscore": (identity.of("resync_standby", "20261127T074408Z-0000"), True),
        "with a line behind it": ("switchover-20261127T074408Z-3f9a\n", False),
        "a path": ("../switchover-20261127T074408Z-3f9a", False),
        "empty": ("", False),
        "none": (None, False),
    }.values(),
)
def test_what_is_an_identity(text: object, is_one: bool) -> None:
    assert identity.is_one(text) is is_one


@pytest.mark.parametrize(
    ("run", "expected"),
    [("remove_standby-20261123T101416Z-1a2b", "remove_standby"), ("failover-00000001", "failover"), (None, None)],
)
def test_the_playbook_that_a_run_began_with(run: str | None, expected: str | None) -> None:
    assert identity.workflow(run) == expected
