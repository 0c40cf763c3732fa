"""The simulated exchange. Start at `engine.Engine`; nothing here imports the guard."""
