"""OCPI 2.2.1: locations from documents, the handshake, and changes told."""
