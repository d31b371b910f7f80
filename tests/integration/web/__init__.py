"""The web room on real sockets."""
