#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: instance_info
short_description: Observe one master host
version_added: 0.1.0
description:
  - Returns the whole truth about the database server of one host, whether it is not installed, empty, stopped, crashed,
    frozen or running. It changes nothing, needs no running server and does not fail on a sick one.
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes.info
options:
  peers:
    description: Servers whose TCP port is to be probed from here, for at most 2 seconds.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {description: Name of the peer., type: str, required: true}
      address: {description: Host name or address., type: str, required: true}
      port: {description: TCP port., type: int, required: true}
  directories:
    description: Further directories that a standby here would need (tablespaces of the master).
    type: list
    elements: path
    default: []
  libraries:
    description: Libraries, by their path, that databases of the master need beside those in the engine's own place.
    type: list
    elements: path
    default: []
  replication:
    description: What the credentials of replication are looked for by.
    type: dict
    default: {}
    suboptions:
      role: {description: Role that standbys connect as., type: str, default: hawq_mirroring}
      passfile: {description: Password file. Empty for C(.pgpass) in the home of the server's user., type: path}
  virtual_ip:
    description: The address that follows the master. A standby asks whether anybody answers there.
    type: dict
    default: {}
    suboptions:
      address: {description: The address with its prefix. None when empty., type: str, default: ""}
      interface: {description: Network interface., type: str, default: ""}
  view_databases:
    description: Databases, beside postgres and template1, in which a master looks for its views.
    type: list
    elements: str
    default: []
  sizes:
    description: Whether a running master measures its tablespaces, which reads the size of every file.
    type: bool
    default: false
  version:
    description:
      - Major version that the inventory names, 0 when none. Where C(bin_directory) of O(instance) is empty, the
        programs are looked for where the host's packages put those of this version, or of the version that runs or that
        the data is of.
    type: int
    default: 0
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Observe the server of this host
  hawq.mirroring.instance_info:
    instance:
      user: gpadmin
      bin_directory: /usr/lib/postgresql/15/bin
      data_directory: /data/hawq/master
      service: hawq-master.service
      address: mdw
  register: observed
"""

RETURN = r"""
observation:
  description:
    - What was found, in words that name no engine's files or settings. LSNs are strings, sizes are bytes, times are
      seconds (points in time since the epoch). C(docs/types.md) has every field with its meaning.
    - Keys are C(reachable) (true), C(engine) (its key in the table of capabilities), C(endpoint) (address and port),
      C(machine), C(user), C(blocks) (our lines in files that others write, too), C(ssh) (public keys), C(binaries),
      C(data_directory), C(control) (what the data says of its last server, null when it cannot be read),
      C(histories), C(process), C(service), C(follows) and C(follows_slot) (whom the directory is told to replicate
      from), C(credentials) (whether they fit, never what they are), C(configuration), C(snapshot), C(programs) (the
      collection's own), C(views) (files, and which databases have them), C(listening), C(probes), C(asks) (whether
      each other master host would answer this one's interlock), C(virtual_ip), C(witness) (what a segment remembers of
      the master), C(directories), C(offers) (libraries, locales and versions of sorting rules), C(server) (null when no
      session was possible), C(server_error) (why), C(server_damage) (what the server says of damaged data) and
      C(wal_end) (up to where a standby without a session, or a fenced master, holds WAL).
  type: dict
  returned: always
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import instance_info

if __name__ == "__main__":
    instance_info.run()
