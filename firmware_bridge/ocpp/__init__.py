"""OCPP: piles that dial in over a WebSocket, thousands of them on one loop. We are their central system.

    link (bytes, one pile) → handshake → frames → schemas → pile (v16, v201) → keeper (commit) → answer

Nothing here keeps an idTag: `tokens` turns it into a pseudonym or a yes or no, and no text of an error repeats what a
pile said.
"""
