"""The running system on one machine: its secrets, ports, processes and their supervisor."""
