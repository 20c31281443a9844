"""Edits of the configuration's files that leave every other byte as it was, saved whole, kept as numbered versions."""
