"""Receivers: each sends one Notice once and says how it went; repeating is notify's work.

In:  a Notice (mail ready to go) and, for e-mail, the server's settings.
Out: an Outcome of one of four kinds.
"""
