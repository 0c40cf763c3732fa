"""The verbs: pure functions from (book, evidence, quotes, time, policy) to facts and effects.

No async, clock, I/O, randomness or logging in here: what a decision needs comes in as an argument, so
that a test, a simulation and the live loop ask the same question and get the same answer.
"""
