"""What client and curator say to each other.

``messages`` is the protocol, version 1; ``locate`` is the only module that
knows how a client finds a curator.  Neither knows what is behind the socket.
"""
