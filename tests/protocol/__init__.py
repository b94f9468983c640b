# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The protocol of guard, witnesses and failover, explored: every order of events up to a depth."""
