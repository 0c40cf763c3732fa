"""Adapters: one package per venue, each an implementation of `ports.Broker`."""
