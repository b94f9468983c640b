"""Key pairs as ssh_identity makes and reads them, with the real ssh-keygen."""

from __future__ import annotations

import os
import pwd
from types import SimpleNamespace

import pytest
from ansible_collections.hawq.mirroring.plugins.module_utils.host import ssh_identity
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner


def ensure(act=True, user="me"):
    place = {"name": "mdw", "addresses": ["10.0.0.2", "mdw"], "port": 22}
    return ssh_identity.ensure(Runner(), act, user=user, comment="me@here", **place)


@pytest.fixture
def home(tmp_path, monkeypatch):
    def getpwnam(name):
        if name != "me":
            raise KeyError(name)
        return SimpleNamespace(pw_dir=str(tmp_path), pw_uid=os.getuid(), pw_gid=os.getgid())

    keys = tmp_path / "etc"
    keys.mkdir()
    (keys / "ssh_host_rsa_key.pub").write_text("ssh-rsa BBBB root@there\n")
    (keys / "ssh_host_ed25519_key.pub").write_text("ssh-ed25519 AAAA root@there\n")
    monkeypatch.setattr(ssh_identity, "HOST_KEYS", keys)
    monkeypatch.setattr(pwd, "getpwnam", getpwnam)
    return tmp_path


def test_makes_a_key_once_and_leaves_nothing_else(home):
    first = ensure()
    assert first["changed"]
    assert first["public_key"].startswith("ssh-ed25519 ")
    assert first["public_key"].endswith(" me@here")
    keys = ["ssh-ed25519 AAAA", "ssh-rsa BBBB"]
    assert first["host"] == {"name": "mdw", "addresses": ["mdw", "10.0.0.2"], "keys": keys}
    assert sorted(os.listdir(home / ".ssh")) == ["id_ed25519", "id_ed25519.pub"]
    assert (home / ".ssh").stat().st_mode & 0o777 == 0o700
    assert (home / ".ssh/id_ed25519").stat().st_mode & 0o777 == 0o600
    assert ensure() == first | {"changed": False}


def test_check_mode_makes_nothing(home):
    result = ensure(act=False)
    assert (result["changed"], result["public_key"]) == (True, None)
    assert not (home / ".ssh").exists()


def test_a_private_key_without_its_public_half_is_enough(home):
    first = ensure()
    (home / ".ssh/id_ed25519.pub").unlink()
    again = ensure()
    assert again["public_key"].split()[:2] == first["public_key"].split()[:2]
    assert not again["changed"]


def test_a_user_who_is_not_there(home):
    result = ensure(act=False, user="nobody-here")
    assert (result["changed"], result["public_key"]) == (True, None)
    with pytest.raises(MirroringError, match="There is no user nobody-here here: run the role gpadmin_user"):
        ensure(user="nobody-here")


def test_at_another_port_it_is_known_with_that_port_too(home):
    assert ssh_identity.known_as("mdw", ["fd00::2"], 2222)["addresses"] == [
        "mdw",
        "fd00::2",
        "[mdw]:2222",
        "[fd00::2]:2222",
    ]
