"""Changes and facts → alerts: raised late, held while flapping, folded, told once. No I/O, no clock, no threads."""
