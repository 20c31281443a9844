"""Virtual charging piles that dial a central system by OCPP 1.6 or 2.0.1: for the demo and the tests."""
