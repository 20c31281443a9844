"""Apps told by webhook."""
