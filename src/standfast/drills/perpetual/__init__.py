"""What the drills of perpetual futures are played with: exchanges that never close, of one position or two a contract.

`stage` is where to start reading.
"""
