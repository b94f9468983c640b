#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Show and write a report
version_added: 0.1.0
description:
  - Prints a document as text and writes it as JSON, both on the controller. A V(failure) fails with its text.
extends_documentation_fragment:
  - hawq.mirroring.attributes.info
options:
  kind:
    description: Which text fits the document.
    type: str
    choices: [state, work, failover, switchover, segments, failure, bill, resync, removal]
    required: true
  document: {description: The document., type: dict, required: true}
  path: {description: File on the controller that gets the document as JSON., type: path}
  query: {description: JMESPath expression; its value is printed as JSON instead of the text., type: str}
  fail: {description: Whether to fail when the document lists problems., type: bool, default: false}
attributes:
  idempotent: {description: Changes nothing on the hosts.}
author: [hawq.mirroring contributors (@hawq)]
"""

EXAMPLES = r"""
- name: Report the state
  hawq.mirroring.report:
    kind: state
    document: "{{ judged.state }}"
    path: /tmp/state.json
  run_once: true
"""

RETURN = r"""
text:
  description: What was printed.
  type: str
  returned: always
"""
