"""What an attacker tries, each attack a test that fails if it works."""
