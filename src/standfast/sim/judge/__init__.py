"""The judge of a simulated run: what must never be and what must come to an end, by two witnesses.

One is the exchange's own truth (`witness`), the other what the journal says in so many words (`retold`). None of it
shares a line with the core it judges.
"""
