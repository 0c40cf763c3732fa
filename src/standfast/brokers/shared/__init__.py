"""What adapters share and no venue owns: the transport, the throttle, and when a stream tries again."""
