# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Judgement: from observations and options to a plan, or to refusals.

Everything here is pure. It knows no engine's files, programs or settings, and asks the engine's row in the table.
It may import: values, engines.table.
"""
