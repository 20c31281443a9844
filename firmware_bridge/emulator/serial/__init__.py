"""Serial devices that behave, and misbehave on command, on pseudo-terminals: tests and demonstrations share them."""
