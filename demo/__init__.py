"""The demo city: loopback sites in the true response shapes, with a scripted crisis."""
