"""The must-hold line of the copy: a six-hour backlog through every trouble, none lost, none double, nobody hurt."""
