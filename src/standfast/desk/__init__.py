"""Where a ledger is read and asked by those who are not its guard: the command line and the library for bots."""
