"""What stands behind the pages below `/setup`: an empty house, its code, devices listened to, hours and places in words."""
