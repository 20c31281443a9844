"""The store, copied elsewhere each day: encrypted, only what has changed, rehearsed."""
