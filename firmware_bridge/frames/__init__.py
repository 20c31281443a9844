"""Bytes in, frames out. No codec here raises on input; garbage and halves are counted and survived."""
