"""What records a source while it is watched: every picture that came, and none that did not."""
