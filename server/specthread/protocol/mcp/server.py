"""The MCP server: tells a client of the tools and uses them. What goes wrong is the tool's own result, in sentences that an agent can act on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from specthread import __version__
from specthread.protocol.mcp import persons, sessions
from specthread.protocol.mcp.link import Enter, Link, ToolError
from specthread.protocol.mcp.tool import Tool, used

Context = Any
"""What the SDK hands to each handler."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a server offers: how it reaches the daemon, what it tells an agent at first, and its tools, which are asked for each time."""

    enter: Enter
    instructions: str
    tools: Callable[[Link], Awaitable[tuple[Tool, ...]]]


def for_a_person(enter: Enter) -> Offer:
    """Returns what an agent is offered that a person runs."""

    async def tools(_: Link) -> tuple[Tool, ...]:
        return persons.TOOLS

    return Offer(enter=enter, instructions=persons.INSTRUCTIONS, tools=tools)


def for_a_session(enter: Enter) -> Offer:
    """Returns what a program is offered that works for a session."""
    return Offer(enter=enter, instructions=sessions.INSTRUCTIONS, tools=sessions.tools_of)


def server_for(offer: Offer) -> Server[Any]:
    """Returns the server of an offer, for any number of clients."""

    async def list_tools(context: Context, _: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        tools = await offer.tools(Link(offer.enter, _client(context)))
        return types.ListToolsResult(tools=[_told(each) for each in tools])

    async def call_tool(context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        link = Link(offer.enter, _client(context))
        try:
            told = await used(await offer.tools(link), link, params.name, params.arguments or {})
        except ToolError as error:
            return types.CallToolResult(content=[types.TextContent(type="text", text=str(error))], is_error=True)
        return types.CallToolResult(content=[types.TextContent(type="text", text=told.text)], structured_content=dict(told.data))

    return Server("specthread", version=__version__, instructions=offer.instructions, on_list_tools=list_tools, on_call_tool=call_tool)


def _client(context: Context) -> str:
    params = context.session.client_params
    return params.client_info.name if params else "an MCP client"


def _told(tool: Tool) -> types.Tool:
    hints = types.ToolAnnotations(title=tool.title, read_only_hint=tool.reads, destructive_hint=False, open_world_hint=False)
    return types.Tool(
        name=tool.spec.name, title=tool.title, description=tool.spec.description, input_schema=tool.spec.schema, annotations=hints
    )


async def serve_stdio(offer: Offer) -> None:
    """Serves one client on stdin and stdout until it goes."""
    server = server_for(offer)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())
