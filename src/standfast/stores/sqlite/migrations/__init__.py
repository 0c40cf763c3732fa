"""Numbered SQL files, each applied once, in order; never edited after a release."""
