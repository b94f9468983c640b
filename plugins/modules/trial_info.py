#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: trial_info
short_description: Try whether a copy of the master would start on another host
version_added: 0.2.0
description:
  - Without O(source) it returns the files that the master's server reads before all others when it starts, its
    configuration and its control file.
  - With O(source) it lets the engine's own program read them on the host of the standby, as the server's user and with
    the variables of the server's unit, in a place in C(/tmp) that is removed. So what the server would refuse is known
    before anything is copied. It looks as well at the files and directories that the configuration names, and at the
    memory and the addresses of the host.
  - A configuration can hold passwords. Tasks with this module need C(no_log).
extends_documentation_fragment:
  - hawq.mirroring.instance
  - hawq.mirroring.attributes.info
options:
  source: {description: "What this module has returned as RV(source) on the master's host.", type: dict}
  settings: {description: Settings that the standby would be told beside; null takes one out., type: dict, default: {}}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Read what the master starts with
  hawq.mirroring.trial_info:
    instance: "{{ server_instance }}"
  no_log: true
  register: standby_trial_source

- name: Try it on the host of the standby
  hawq.mirroring.trial_info:
    instance: "{{ server_instance }}"
    source: "{{ hostvars['mdw'].standby_trial_source.source }}"
  no_log: true
  register: standby_trial
"""

RETURN = r"""
source:
  description: Directories of the master, and files with C(path), C(mode) and C(content) (base64).
  type: dict
  returned: without O(source)
trial:
  description: What stands against a start there; C(docs/types.md) has every field.
  type: dict
  returned: with O(source)
"""

from ansible_collections.hawq.mirroring.plugins.module_utils.modules import trial_info

if __name__ == "__main__":
    trial_info.run()
