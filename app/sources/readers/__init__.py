"""What runs in the decoding child: each module has a `read` that says on an Output what it reads."""
