#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: ssh_identity
short_description: A user's SSH key pair, and the keys that others must know
version_added: 0.1.0
description:
  - Makes an ed25519 key pair for the user when there is none, and returns its public half together with the host's own
    public keys. A key that is there is never replaced.
options:
  user:
    description: The user. It must exist.
    type: str
    required: true
  comment:
    description: Comment of a key that is made. The user and the host's name when not given.
    type: str
attributes:
  check_mode: {description: Makes no key and says whether it would., support: full}
  diff_mode: {description: Has nothing to show., support: none}
  idempotent: {description: Makes a key only once., support: full}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Make a key pair for gpadmin
  hawq.mirroring.ssh_identity:
    user: gpadmin
  register: identity
"""

RETURN = r"""
public_key:
  description: The user's public key; null in check mode when there is none yet.
  type: str
  returned: always
  sample: ssh-ed25519 AAAAC3Nz... gpadmin@mdw
host_keys:
  description: The host's public keys, each its type and its value.
  type: list
  elements: str
  returned: always
  sample: [ssh-ed25519 AAAAC3Nz...]
directory:
  description: The user's C(.ssh) directory; null in check mode when there is no user yet.
  type: str
  returned: always
  sample: /home/gpadmin/.ssh
uid:
  description: The user's number; null in check mode when there is no user yet.
  type: int
  returned: always
gid:
  description: The number of the user's primary group; null in check mode when there is no user yet.
  type: int
  returned: always
"""

import os
import pwd
import socket
import tempfile
from pathlib import Path

from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import run_module
from ansible_collections.hawq.mirroring.plugins.module_utils.host.run import Runner

HOST_KEYS = Path("/etc/ssh")
NAME = "id_ed25519"


def host_keys():
    """Return the host's public keys without their comments, sorted by type."""
    files = HOST_KEYS.glob("ssh_host_*_key.pub")
    return sorted(" ".join(path.read_text(encoding="utf-8").split()[:2]) for path in files)


def keygen(run, *arguments):
    """Run ssh-keygen, return what it prints."""
    code, output, errors = run(["ssh-keygen", *arguments])
    if code:
        raise MirroringError(f"ssh-keygen failed: {(errors or output).strip() or code}")
    return output


def chown(path, account):
    """Give a file to the user."""
    os.chown(path, account.pw_uid, account.pw_gid)


def make(run, directory, account, comment):
    """Make a key pair; it appears in its place complete and with its owner, the private half last."""
    if not directory.is_dir():
        directory.mkdir(mode=0o700)
        chown(directory, account)
    with tempfile.TemporaryDirectory(dir=directory) as folder:
        private = Path(folder, NAME)
        keygen(run, "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(private))
        for path in (private.with_suffix(".pub"), private):
            chown(path, account)
            path.rename(directory / path.name)


def main(module):
    """Find the user, make what is missing, say what others must know."""
    user = module.params["user"]
    run = Runner()
    result = dict.fromkeys(["public_key", "directory", "uid", "gid"])
    result.update(changed=False, host_keys=host_keys())
    try:
        account = pwd.getpwnam(user)
    except KeyError as error:
        if module.check_mode:
            return result | {"changed": True}
        raise MirroringError(
            f"There is no user {user} here: run the role gpadmin_user first, or name another."
        ) from error
    directory = Path(account.pw_dir, ".ssh")
    private = directory / NAME
    result.update(directory=str(directory), uid=account.pw_uid, gid=account.pw_gid)
    if not private.is_file():
        result["changed"] = True
        if module.check_mode:
            return result
        make(run, directory, account, module.params["comment"] or f"{user}@{socket.gethostname()}")
    public = private.with_suffix(".pub")
    result["public_key"] = (
        public.read_text(encoding="utf-8") if public.is_file() else keygen(run, "-y", "-P", "", "-f", str(private))
    ).strip()
    return result


if __name__ == "__main__":
    run_module(
        main,
        supports_check_mode=True,
        argument_spec={"user": {"type": "str", "required": True}, "comment": {"type": "str"}},
    )
