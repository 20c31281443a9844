"""Gateways on brokers of other makes."""
