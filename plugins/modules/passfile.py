#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: passfile
short_description: Keep the replication password in a password file
version_added: 0.1.0
description:
  - Makes sure that libpq's password file holds one line for each server that the replication role connects
    to, with mode 0600 and the right owner. Other lines are left alone.
  - The password is the one that O(like) holds for the role, else the one that is already there, else a new one.
  - The password is neither returned nor shown in a diff.
options:
  state:
    description:
      - V(present) keeps the lines of O(servers). V(absent) takes away every line of the role and O(database), and the
        file when nothing else is in it.
    type: str
    choices: [present, absent]
    default: present
  path: {description: The password file., type: path, required: true}
  owner: {description: Owner of the file., type: str, required: true}
  role: {description: Replication role., type: str, required: true}
  database: {description: Database of the lines., type: str, default: replication}
  servers:
    description: Servers that the role connects to. Required with O(state=present).
    type: list
    elements: dict
    default: []
    suboptions:
      address: {description: Host name or address as in the connection string., type: str, required: true}
      port: {description: TCP port., type: int, required: true}
  like: {description: Text of another host's password file., type: str, default: ""}
attributes:
  check_mode: {description: Says what it would do., support: full}
  diff_mode: {description: Shows lines with the password masked., support: full}
  idempotent: {description: A second run changes nothing., support: full}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Keep the replication password
  hawq.mirroring.passfile:
    path: /home/gpadmin/.pgpass
    owner: gpadmin
    role: hawq_mirroring
    servers: [{address: mdw, port: 5432}, {address: smdw, port: 5432}]
"""

RETURN = r"""
exists:
  description: Whether the file is there now (not in check mode before the first run).
  type: bool
  returned: always
path:
  description: The password file.
  type: str
  returned: always
"""

import os
import secrets

from ansible_collections.hawq.mirroring.plugins.module_utils.host import files
from ansible_collections.hawq.mirroring.plugins.module_utils.host.errors import MirroringError
from ansible_collections.hawq.mirroring.plugins.module_utils.host.lock import alone
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import run_module
from ansible_collections.hawq.mirroring.plugins.module_utils.values import conninfo


def main(module):
    """Act alone: of two operators' runs only one may make up the password."""
    act = {"present": keep, "absent": take_away}[module.params["state"]]
    if module.check_mode:
        return act(module)
    with alone():
        return act(module)


def take_away(module):
    """Leave foreign lines alone."""
    path, wanted = module.params["path"], [module.params["database"], module.params["role"]]
    if os.path.islink(path):
        raise MirroringError(f"{path} is a symbolic link: name the file itself with -e master_passfile=")
    lines = (files.read(path) or "").splitlines()
    parsed = [(line, conninfo.passfile_fields(line)) for line in lines]
    kept = [line for line, fields in parsed if not fields or fields[2:4] != wanted]
    changed = len(kept) < len(lines)
    if changed and kept:
        files.write(module, path, "".join(line + "\n" for line in kept), module.params["owner"])
    elif changed and not module.check_mode:
        os.unlink(path)
    shown = "".join(
        ":".join([*fields[:4], "(not shown)"]) + "\n" for _line, fields in parsed if fields and fields[2:4] == wanted
    )
    return {"changed": changed, "path": path, "exists": os.path.exists(path), "diff": {"before": shown, "after": ""}}


def keep(module):
    """Keep foreign lines, replace ours."""
    path, role, database = module.params["path"], module.params["role"], module.params["database"]
    if os.path.islink(path):
        raise MirroringError(f"{path} is a symbolic link: name the file itself with -e master_passfile=")
    servers = [(server["address"], str(server["port"])) for server in module.params["servers"]]
    lines = (files.read(path) or "").splitlines()
    parsed = [(line, conninfo.passfile_fields(line)) for line in lines]
    password = (
        conninfo.password_in(module.params["like"], role)
        or conninfo.password_in("\n".join(lines), role)
        or secrets.token_urlsafe(32)
    )
    replaced = [
        line for line, fields in parsed if fields and fields[2:4] == [database, role] and tuple(fields[:2]) in servers
    ]
    new = [conninfo.passfile_line(address, int(port), database, role, password) for address, port in servers]
    if set(new) <= set(lines) and len(replaced) == len(new):
        text = "".join(line + "\n" for line in lines)
    else:
        text = "".join(line + "\n" for line in [*new, *(line for line in lines if line not in replaced)])
    changed = files.write(module, path, text, module.params["owner"])
    shown = [
        "".join(conninfo.passfile_line(address, int(port), database, role, mask) + "\n" for address, port in servers)
        for mask in ("(not shown)", "(not shown, new)")
    ]
    before = shown[0] if replaced else ""
    return {
        "changed": changed,
        "path": path,
        "exists": os.path.exists(path),
        "diff": {"before": before if changed else shown[0], "after": shown[1] if changed else shown[0]},
    }


if __name__ == "__main__":
    run_module(
        main,
        supports_check_mode=True,
        required_if=[("state", "present", ["servers"])],
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "path": {"type": "path", "required": True},
            "owner": {"type": "str", "required": True},
            "role": {"type": "str", "required": True},
            "database": {"type": "str", "default": "replication"},
            "servers": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {"address": {"type": "str", "required": True}, "port": {"type": "int", "required": True}},
            },
            "like": {"type": "str", "default": "", "no_log": True},
        },
    )
