"""How clients talk to the exchange: one package for each broker's dialect, and `operator` for whoever runs it.

Start at `venue.Venue`, what all of them share; `gate` is the way a request takes; a dialect is a table of routes.
"""
