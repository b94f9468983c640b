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
  - Links to files are read as what they lead to, and links to directories that hold nothing but files of configuration
    (C(*.conf)). Hidden files are left out, and what no server reads as its configuration - a file above
    1 MB, a log behind a link, a link that leads nowhere, what O(owner) cannot read. More than 16 MB or 1000 files in
    all are refused.
  - A configuration can hold passwords. Tasks with this module need C(no_log).
extends_documentation_fragment:
  - hawq.mirroring.attributes
options:
  state:
    description:
      - V(read) returns directories and files. V(written) makes O(directories) and writes O(files), C(postgresql.conf)
        last. V(absent) removes O(written). V(discarded) deletes the directory if V(written) has made it.
    type: str
    choices: [read, written, absent, discarded]
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
skipped:
  description: What was left out, each with the reason.
  type: dict
  returned: with O(state=read)
written:
  description: Files that were written, or would be, since they differed.
  type: list
  elements: str
  returned: with O(state=written), also when that fails
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import configuration

if __name__ == "__main__":
    configuration.run()
