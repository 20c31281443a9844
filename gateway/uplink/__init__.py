"""The line from a box to its centre: the journal is the spool, a cursor is moved by what the centre confirms."""
