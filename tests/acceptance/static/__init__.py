"""The banner in a real Chromium, fed by a scripted server."""
