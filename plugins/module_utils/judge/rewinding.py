# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a host's data could be taken back to where its history left the master's, were its server stopped. Pure."""

from __future__ import annotations

from ..engines import table
from . import topology


def why_not(seen: topology.Observation, source: topology.Observation) -> str:
    """Return why this data can never be rewound to this master; empty when it can, as far as the data goes."""
    engine, control = table.of(source), seen["control"]
    if not engine.rewinds or not engine.timelines:
        return f"{engine.name} has no means of rewinding"
    if not control:
        return "the host has no readable data directory"
    if topology.system_identifier(seen) != topology.system_identifier(source):
        return "the data belongs to another system"
    if seen["data_directory"]["unfinished"]:
        return "an earlier run has left it half-way"
    if not control["can_rewind"]:
        return engine.words.rewind_lacks
    return ""
