"""What doctor says of the models that the settings name: whether they exist, how long they live, and what their server takes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from specthread import config, shim
from specthread.agents.backend import ModelError
from specthread.agents.capabilities import SMALL_CONTEXT, Capabilities, Learned
from specthread.agents.catalogue import Catalogue, Listing, complaints
from specthread.agents.messages_api import VENDORS_URL, MessagesApiModel
from specthread.model_settings import model_for
from specthread.spec.role import ROLES

State = Literal["ok", "warning", "problem"]


def model_findings(settings: config.Settings, environ: Mapping[str, str], *, ask: bool) -> Iterator[tuple[State, str]]:
    """Yields how serious it is and a text for each thing found. Without `ask` nobody is asked, and only what was heard before counts."""
    if settings.agent != "messages" or settings.messages.provider:
        return  # the clouds list their models in ways of their own
    state = Path(shim.state_folder(environ))
    url = settings.messages.base_url or environ.get("ANTHROPIC_BASE_URL") or VENDORS_URL
    catalogue = Catalogue(state / "models.json")
    used = _used(settings)
    try:
        listing = asyncio.run(_asked(settings, environ, catalogue, url)) if ask else catalogue.known(url)
    except ModelError as error:
        yield "warning", f"it is not known which models exist. {error.message}"
        listing = None
    if listing:
        wrong = [(model, text) for model in used for text in complaints(listing, model)]
        for model, text in wrong:
            yield _weight(listing, model), f"{model}, the model of {used[model]}, {text}"
        if not wrong:
            yield "ok", f"{', '.join(used)}: {url} had {'it' if len(used) == 1 else 'them'} on {listing.at:%Y-%m-%d}"
    learned = Learned(state / "capabilities.json").read()
    for model in used:
        for text in _lacks(learned.get(f"{url.rstrip('/')} {model}")):
            yield "warning", f"{model} at {url} {text}"


async def _asked(settings: config.Settings, environ: Mapping[str, str], catalogue: Catalogue, url: str) -> Listing:
    model = MessagesApiModel(api_key=config.credentials(environ).api_key, base_url=settings.messages.base_url)
    try:
        return await catalogue.of(url, model.models, datetime.now(UTC))
    finally:
        await model.close()


def _used(settings: config.Settings) -> dict[str, str]:
    """Returns the models that the settings name, with the roles that have each."""
    used: dict[str, list[str]] = {}
    for role in dict.fromkeys(("planner", *ROLES, *settings.roles)):
        file = settings.roles.get(role)
        model = (file.model if file else "") or model_for(settings.messages, role).model
        used.setdefault(model, []).append(role)
    return {model: ", ".join(roles) for model, roles in used.items()}


def _weight(listing: Listing, model: str) -> State:
    facts = listing.find(model)
    return "problem" if facts is None or facts.lifecycle == "retired" else "warning"


def _lacks(can: Capabilities | None) -> Iterator[str]:
    if can and not can.tools:
        yield "takes no tools: what it does is taken from its words"
    if can and can.context and can.context < SMALL_CONTEXT:
        yield f"holds {can.context:,} tokens at once, too few for most work: give it {SMALL_CONTEXT:,} or more in its server"
