"""The simulated exchange for perpetual futures. Start at `engine.PerpetualEngine`; nothing here imports the guard."""
