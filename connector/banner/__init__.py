"""Show agents who is calling: who sees a call, what of it, and how it reaches their screens."""
