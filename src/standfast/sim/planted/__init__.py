"""Mistakes put into the real code for a simulation, each with what must find it: how the checkers are tested."""
