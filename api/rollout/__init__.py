"""A new version for many boxes: a signed apt repository, and rings of boxes that get it one after another."""
