"""Piles whose operator keeps command: what they say goes on to his central system, what he asks goes on to them, and we
listen. Whatever happens to him, a pile is answered in time, and what he missed is delivered in order when he is back.
"""
