"""The benchmark: Slotbook measured beside its floor and its peers, in turns, in the same run.

The floor of a job is the same bytes on a bare socket with hiredis; no client in Python can be faster. Peers are the
libraries that one would use in Slotbook's place. The extra ``bench`` installs them all; a peer that is not installed is
left out, and the report says so. What a change costs the server is measured beside the same writes as plain commands.
"""
