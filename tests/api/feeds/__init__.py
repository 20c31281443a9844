"""Feeds: what each tells, and that none tells more than the documents do."""
