"""What several feeds are made of."""
