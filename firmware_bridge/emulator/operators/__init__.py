"""Platforms of operators, made up: what happens at their connectors, and how they tell it."""
