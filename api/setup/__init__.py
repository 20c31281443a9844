"""What stands behind the pages below `/setup`: an empty house and its code, devices heard, hours and places."""
