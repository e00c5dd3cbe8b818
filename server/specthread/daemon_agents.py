"""The external agents of a daemon: each that is known by name or set up by its person, whether it is there by now or not."""

from __future__ import annotations

from collections.abc import Mapping

from specthread.agent_settings import AgentSettings
from specthread.agents.acp_catalog import KNOWN, PREFIX, ExternalAgent, external_agent
from specthread.agents.acp_client import AcpBackend
from specthread.agents.backend import AgentBackend


def external_agents(chosen: Mapping[str, AgentSettings]) -> dict[str, ExternalAgent]:
    """Returns the external agents by the name of their backend."""
    names = dict.fromkeys((*(agent.name for agent in KNOWN), *chosen))
    plain = AgentSettings()
    said = {name: chosen.get(name, plain) for name in names}
    found = (external_agent(name, each.command, each.args, each.env) for name, each in said.items())
    return {agent.backend: agent for agent in found if agent is not None}


def backends_of(agents: Mapping[str, ExternalAgent], environ: Mapping[str, str]) -> dict[str, AgentBackend]:
    """Returns a backend for each of them; nothing of it is loaded or started before a session needs it."""
    return {
        name: AcpBackend(name=name, command=agent.command, given=agent.given(environ), secrets=credentials_of({name: agent}, environ))
        for name, agent in agents.items()
    }


def credentials_of(agents: Mapping[str, ExternalAgent], environ: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the values that are kept out of everything written."""
    values = (environ.get(name, "") for agent in agents.values() for name in agent.credentials if not name.endswith("_URL"))
    return tuple(dict.fromkeys(filter(None, values)))


def full_name(agent: str, agents: Mapping[str, ExternalAgent]) -> str:
    """Returns the name of a backend, of an external agent also where only its own name is said."""
    return f"{PREFIX}{agent}" if f"{PREFIX}{agent}" in agents else agent
