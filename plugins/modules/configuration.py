#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: configuration
short_description: Copy a configuration that lies outside the data directory
version_added: 0.2.0
description:
  - Reads the files of a configuration directory on one host, and writes them on another, as the user O(owner) and not
    as root. So a link brings nothing along that this user cannot read.
  - Links are read as what they lead to. Hidden files are left out. A file above 1 MB, and more than 16 MB or 1000
    files, are refused.
  - A configuration can hold passwords. Tasks with this module need C(no_log).
extends_documentation_fragment:
  - hawq.mirroring.attributes
options:
  state:
    description:
      - V(read) returns directories and files. V(written) makes O(directories) and writes O(files), C(postgresql.conf)
        last. V(absent) removes O(written).
    type: str
    choices: [read, written, absent]
    default: read
  path: {description: The configuration directory., type: path, required: true}
  owner: {description: The user that the server runs as., type: str, required: true}
  directories: {description: "Names below O(path), as V(read) returned them.", type: list, elements: str, default: []}
  files:
    description: Files below O(path), as V(read) returned them.
    type: list
    elements: dict
    default: []
    suboptions:
      path: {description: Name below O(path)., type: str, required: true}
      mode: {description: Mode., type: str, required: true}
      content: {description: The bytes in base64., type: str, required: true}
  written: {description: "Files that V(written) has returned.", type: list, elements: str, default: []}
attributes:
  diff_mode: {description: Names the files.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Read the configuration
  hawq.mirroring.configuration:
    path: /etc/postgresql/15/main
    owner: postgres
  no_log: true
  register: read

- name: Write it
  hawq.mirroring.configuration:
    state: written
    path: /etc/postgresql/15/main
    owner: postgres
    directories: "{{ read.directories }}"
    files: "{{ read.files }}"
  no_log: true
"""

RETURN = r"""
directories:
  description: Names of the directories below the configuration directory.
  type: list
  elements: str
  returned: with O(state=read)
files:
  description: The files, each with C(path), C(mode) and C(content).
  type: list
  elements: dict
  returned: with O(state=read)
written:
  description: Files that were written, or would be, since they differed.
  type: list
  elements: str
  returned: with O(state=written), also when that fails
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.host import account, configuration
from ansible_collections.hawq.mirroring.plugins.module_utils.host.module import run_module


def main(module):
    """Do it as the owner; where that user does not exist yet, nothing is there and all of it would be written."""
    options, act = module.params, not module.check_mode
    place = options["path"]
    if not account.is_there(options["owner"], act):
        return {"changed": options["state"] == "written", "directories": [], "files": [], "written": []}
    if options["state"] == "read":
        return configuration.read(place)
    if options["state"] == "absent":
        return configuration.remove(place, act, paths=options["written"])
    return configuration.write(place, act, directories=options["directories"], found=options["files"])


if __name__ == "__main__":
    run_module(
        main,
        account=lambda options: options["owner"],
        named=lambda options: [options["path"]],
        supports_check_mode=True,
        argument_spec={
            "state": {"type": "str", "choices": ["read", "written", "absent"], "default": "read"},
            "path": {"type": "path", "required": True},
            "owner": {"type": "str", "required": True},
            "directories": {"type": "list", "elements": "str", "default": []},
            "files": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "path": {"type": "str", "required": True},
                    "mode": {"type": "str", "required": True},
                    "content": {"type": "str", "required": True, "no_log": True},
                },
            },
            "written": {"type": "list", "elements": "str", "default": []},
        },
    )
