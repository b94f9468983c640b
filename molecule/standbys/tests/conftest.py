# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""This scenario is played with the oldest ansible-core that is supported; all others are with the newest."""

from __future__ import annotations

import os

from harness import ROOT

OLDEST = ROOT / ".venv-oldest" / "bin"
assert (OLDEST / "ansible-playbook").exists(), "the oldest ansible-core is missing: make venv-oldest"
os.environ["PATH"] = f"{OLDEST}:{os.environ['PATH']}"
