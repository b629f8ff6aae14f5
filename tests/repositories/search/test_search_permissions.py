"""The application's user of docker/server/users.acl may search, and do no more than that."""

from __future__ import annotations

import pytest

from ...support.application import ALWAYS, NAME, commands, words_of_all
from ...support.raw import Raw, Refusal
from ...support.search.fixtures import SearchFleets
from ...support.search.server import searching


@searching
def test_the_application_may_search_and_nothing_more(search_fleet: SearchFleets) -> None:
    """All other tests of searching work as this user, so the list has no command too few."""
    fleet = search_fleet("standalone")
    (operator,) = fleet.raws.values()
    served = words_of_all(operator)
    listed = commands(version="7.4") & served.keys()
    assert {name for name in listed if name.startswith("ft.")} == {
        name for name in commands() if name.startswith("ft.")
    }
    for name in listed:
        assert operator.ask("ACL", "DRYRUN", NAME, *served[name]) == "OK"
    (server,) = fleet.deployment.servers
    application = Raw(server.host, server.port, fleet.deployment.password, NAME)
    for name in served.keys() - listed - ALWAYS:
        with pytest.raises(Refusal, match=r"NOPERM|command not allowed"):  # DEBUG and MODULE are off for everyone
            application.ask(*served[name])
    application.close()
    operator.ask("ACL", "LOG", "RESET")
