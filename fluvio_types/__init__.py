"""What every room shares: errors, names and their rules, default ports and sizes; no more than that."""
