"""The library for bots: ask a guard to open, close and protect, read what it holds, and get proof or a reason.

`standfast.connect` is the way in. What is asked travels as a request through the ledger, as a verb of the command line
does, to the guard of the account in its own process; nothing here knows a broker, a key or an event loop.

1. An id names one act. The same id asked again is the same act with the same answer, in any process, after any crash.
2. What no guard takes in time is not done later.
3. `wait` returns proof. Whatever else there is to say is an exception.
"""
