"""OCPI 2.2.1, of which we are the receiver of locations (a navigation service provider, NSP).

words: what is read of a Location; line: one question and its envelope; registration: what was agreed, on disk;
handshake: how it is agreed; pull: locations page by page; receiver: what he says to us; platform: all of it.
"""
