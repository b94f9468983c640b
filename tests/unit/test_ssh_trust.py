# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whom a user lets in by SSH: lines of our own, in their place, and nobody else's."""

from __future__ import annotations

import os
import pwd
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import ssh_trust
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError

KEY = "ssh-ed25519 AAAAmdw gpadmin@mdw"
NARROW = f'restrict,command="/usr/bin/python3 -I /usr/local/libexec/hawq-mirroring-peer" {KEY}'
FOREIGN = 'from="10.0.0.1" ssh-rsa AAAAother somebody\n# a word\n\n'
HOST = {"name": "mdw", "addresses": ["mdw", "10.0.0.2"], "keys": ["ssh-ed25519 AAAAhost"]}
BLOCK = "# BEGIN hawq.mirroring mdw\nmdw,10.0.0.2 ssh-ed25519 AAAAhost\n# END hawq.mirroring mdw\n"

TEXTS: dict[str, tuple[str, bool, str]] = {
    "none yet": ("", True, f"{NARROW}\n"),
    "foreign lines stay": (FOREIGN, True, f"{FOREIGN}{NARROW}\n"),
    "a login of an earlier version is replaced in its place": (f"{KEY}\n{FOREIGN}", True, f"{NARROW}\n{FOREIGN}"),
    "twice": (f"{KEY}\n{FOREIGN}{KEY} again\n", True, f"{NARROW}\n{FOREIGN}"),
    "with other options": (f'command="id" {KEY}\n', True, f"{NARROW}\n"),
    "as it should be": (f"{NARROW}\n{FOREIGN}", True, f"{NARROW}\n{FOREIGN}"),
    "the operator wants a login": (f"{NARROW}\n", False, f"{KEY}\n"),
    "a line without its end": (FOREIGN.rstrip("\n"), True, f"{FOREIGN.rstrip(chr(10))}\n{NARROW}\n"),
}


@pytest.mark.parametrize(("before", "restrict", "after"), TEXTS.values(), ids=TEXTS)
def test_who_is_let_in(before: str, restrict: bool, after: str) -> None:
    assert ssh_trust.authorized(before, [KEY], restrict) == after
    assert ssh_trust.authorized(after, [KEY], restrict) == after


def test_which_keys_are_good_for_questions_only() -> None:
    def found(*lines: str) -> list[str]:
        return ssh_trust.restricted(ssh_trust.entries("\n".join(lines)))

    assert found(NARROW) == ["AAAAmdw"]
    assert found(KEY) == found(NARROW, KEY) == found(f'command="id" {KEY}') == []


def test_a_block_of_host_keys_is_replaced_in_its_place() -> None:
    assert ssh_trust.known("", [HOST]) == BLOCK
    old = BLOCK.replace("AAAAhost", "AAAAold")
    assert ssh_trust.known(f"a b c\n{old}d e f\n", [HOST]) == f"a b c\n{BLOCK}d e f\n"
    assert ssh_trust.known("# BEGIN hawq.mirroring mdw\nx\n", [HOST]) == f"# BEGIN hawq.mirroring mdw\nx\n{BLOCK}"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(pwd, "getpwnam", lambda _name: SimpleNamespace(pw_dir=str(tmp_path)))
    return tmp_path


def ensure(act: bool = True, **options: t.Any) -> dict[str, t.Any]:
    return ssh_trust.ensure(act, **{"user": "me", "keys": [KEY], "restrict": True, "hosts": [HOST], **options})


def test_both_files_are_written_once(home: Path) -> None:
    assert ensure(act=False)["changed"]
    assert not (home / ".ssh").exists()
    done = ensure()["done"]
    assert done == [str(home / ".ssh" / name) for name in ("authorized_keys", "known_hosts")]
    assert [(home / ".ssh" / name).stat().st_mode & 0o777 for name in ("", "authorized_keys")] == [0o700, 0o600]
    assert (home / ".ssh/authorized_keys").read_text() == f"{NARROW}\n"
    again = ensure()
    assert (again["changed"], again["done"], again["diff"]) == (False, [], [])


def test_a_pipe_keeps_nobody_waiting(home: Path) -> None:
    (home / ".ssh").mkdir()
    os.mkfifo(home / ".ssh/authorized_keys")
    with pytest.raises(OSError, match="no regular file"):
        ensure()


@pytest.mark.parametrize(
    "wrong",
    [
        {"keys": [f"{KEY}\nssh-rsa AAAAevil"]},
        {"keys": [f'command="id" {KEY}']},
        {"keys": ["nonsense"]},
        {"hosts": [{**HOST, "addresses": ["*"]}]},
        {"hosts": [{**HOST, "addresses": ["mdw,github.example"]}]},
        {"hosts": [{**HOST, "name": "mdw\nx ssh-rsa AAAA"}]},
        {"hosts": [{**HOST, "keys": ["@cert-authority"]}]},
    ],
)
def test_what_another_host_says_is_one_line_about_itself(home: Path, wrong: dict[str, t.Any]) -> None:
    with pytest.raises(MirroringError, match="this is no"):
        ensure(**wrong)
    assert not (home / ".ssh").exists()
