"""The ledger in one SQLite file.

`store` writes (asyncio, one writer thread), `reading` and `upkeep` read without either, `requesting` puts an
operator's act in. Everything goes through apsw, which bundles a current SQLite: a second SQLite library on
the same file, or a plain open() of it, would silently drop this process's locks.
"""
