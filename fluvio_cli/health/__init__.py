"""`cluster health`: `attempts` runs the client's check, once or until it is content, `view` shows it."""
