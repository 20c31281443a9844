"""Our charging points for apps, after OCPI 2.2.1: we are the sender (CPO) of locations, nothing else.

hours: opening hours in its words; locations: one from a document; partners: who may ask, and who has registered; push:
changes told to those; routes: what is asked of us. Without `ocpi:` in the configuration there is nothing of it.
"""
