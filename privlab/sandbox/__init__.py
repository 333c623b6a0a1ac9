"""Giving up rights: what a process can no longer do once it touches rows.

What it is for: Landlock, seccomp, resource limits, and the uid of a peer.
What it does not know: queries, keys, tables.
Where to start: ``confine``, which applies all of it and says what took effect.
Linux only in effect; elsewhere every function says that nothing was applied.
"""
