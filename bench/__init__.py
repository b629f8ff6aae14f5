"""Slotbook measured beside its floor and its peers, in the same run, taking turns.

The floor of a job is the same bytes on a bare socket with hiredis: nobody who asks a server over a socket from Python
can be faster. Peers are what one would use in Slotbook's place. The extra ``bench`` installs them all; one that is not
installed is left out, and the report says so.
"""
