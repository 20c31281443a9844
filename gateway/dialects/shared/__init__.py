"""What dialects are made of: how values are read, what facts become, which names devices use."""
