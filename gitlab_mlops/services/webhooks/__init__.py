"""Webhooks: who wants to know what, an outbox of messages, and their way out of the forge.

`outbox.record` writes a message in the transaction of what happened; `delivery` sends what is due
when that is committed, from a thread of this process (`worker`) or from a command; `transport` is
the one place that connects to an address which people entered, and `addresses` says to which ones.
"""
