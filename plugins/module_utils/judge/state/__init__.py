# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The state of a group of hosts: what there is, what is wrong with it, what would come of each fault.

It may import: values, engines.table, judge.
"""
