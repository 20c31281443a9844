"""Piles that belong to somebody else: his platform is asked by HTTP, and tells us changes by itself.

web: one bounded question; listener: what he says to us; book: what is known of each connector, and for how long; bus:
asking, keeping and telling; ocpi and tcec: the two protocols, each a `Platform`. We only read: nothing here can start,
stop or reserve.
"""
