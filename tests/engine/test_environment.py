import os

import pytest

from specthread.agents.sandbox import probe
from specthread.engine import environment
from specthread.engine.repositories import Repositories
from specthread.engine.settings import RepositorySettings
from support.engine_world import ROLES
from support.git_fixture import commit_files, git, isolate_git, make_repository, write_files

bubblewrap = pytest.mark.skipif(not probe().available, reason=probe().reason)


class PortsOf:
    """The little of the ports that an environment asks for."""

    def __init__(self, state):
        self.settings = settings_at(state)

    def repository_settings(self, opened):
        return RepositorySettings()


def settings_at(state):
    return environment.Ports.__annotations__ and SETTINGS(state=state, roles=ROLES)
