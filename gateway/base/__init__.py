"""What every room stands on: time, bounds of what is told, hosts that may be spoken to, faults contained."""
