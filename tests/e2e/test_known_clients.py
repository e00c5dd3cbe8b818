"""The first half of the loop with the recorded capabilities of real editors: what is sent must be what each of them said it understands."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from lsprotocol import types as lsp
from pytest_lsp import ClientServerConfig, LspSpecificationWarning, client_capabilities, make_test_lsp_client

from specthread.agents.demo.material import PROMPT
from support.demo_editing import PROGRAM, demo_place

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings(f"error::{LspSpecificationWarning.__module__}.LspSpecificationWarning")]
PATIENCE = 60.0
CLIENTS = ("neovim@v0.7.0", "neovim@v0.11.0", "emacs@v29.1", "visual_studio_code@v1.65.2")


def a_client():
    """Makes a client that answers message boxes with what `choose` says to their text."""
    client = make_test_lsp_client()
    client.boxes = []
    client.choose = {}

    @client.feature(lsp.WINDOW_SHOW_MESSAGE_REQUEST)
    async def show_message_request(params):
        client.boxes.append(params)
        wanted = next((title for words, title in client.choose.items() if words in params.message), None)
        return next((action for action in params.actions if action.title == wanted), None)

    @client.feature(lsp.WORKSPACE_CODE_LENS_REFRESH)
    def refreshed(_):
        return None

    return client


async def until(condition):
    async with asyncio.timeout(PATIENCE):
        while not (found := condition()):  # noqa: ASYNC110  the client keeps lists
            await asyncio.sleep(0.02)
        return found


def read(uri):
    return Path(uri.removeprefix("file://")).read_text()


@pytest.mark.parametrize("name", CLIENTS)
async def test_a_spec_is_asked_for_read_and_approved(tmp_path, monkeypatch, name):
    with demo_place(tmp_path, pause=0.02) as (repository, environ):
        monkeypatch.chdir(repository)
        config = ClientServerConfig(server_command=[*PROGRAM, "lsp"], server_env=dict(environ), client_factory=a_client)
        client = await config.start()
        capabilities = client_capabilities(name)
        root = repository.as_uri()
        folders = [lsp.WorkspaceFolder(uri=root, name="hours")]
        started = await client.initialize_session(lsp.InitializeParams(capabilities=capabilities, root_uri=root, workspace_folders=folders))
        assert "specthread.approve" in started.capabilities.execute_command_provider.commands
        try:
            await loop(client, capabilities)
        finally:
            await client.shutdown_session()
        assert client.error is None


async def loop(client, capabilities):
    can_show = bool(capabilities.window and capabilities.window.show_document and capabilities.window.show_document.support)
    client.choose = {"Which document": "requirements"}
    await client.workspace_execute_command_async(lsp.ExecuteCommandParams(command="specthread.new-task", arguments=[{"text": PROMPT}]))
    await until(lambda: any("wait for you" in box.message for box in client.boxes))
    await client.workspace_execute_command_async(lsp.ExecuteCommandParams(command="specthread.open-document"))
    if can_show:
        uri = (await until(lambda: client.shown_documents))[-1].uri
    else:
        told = await until(lambda: next((each.message for each in client.messages if "requirements.md" in each.message), None))
        uri = Path(next(word for word in told.split() if "requirements.md" in word).rstrip(".")).as_uri()
    text = read(uri)
    item = lsp.TextDocumentItem(uri=uri, language_id="markdown", version=1, text=text)
    client.text_document_did_open(lsp.DidOpenTextDocumentParams(text_document=item))
    identifier = lsp.TextDocumentIdentifier(uri=uri)
    await until(lambda: uri in client.diagnostics)
    loose = text + "9. The list command is fast.\n"
    version = lsp.VersionedTextDocumentIdentifier(uri=uri, version=2)
    whole = lsp.TextDocumentContentChangeWholeDocument(text=loose)
    client.text_document_did_change(lsp.DidChangeTextDocumentParams(text_document=version, content_changes=[whole]))
    await until(lambda: client.diagnostics[uri])
    back = lsp.TextDocumentContentChangeWholeDocument(text=text)
    again = lsp.VersionedTextDocumentIdentifier(uri=uri, version=3)
    client.text_document_did_change(lsp.DidChangeTextDocumentParams(text_document=again, content_changes=[back]))
    lenses = await client.text_document_code_lens_async(lsp.CodeLensParams(text_document=identifier))
    assert lenses[0].command.title.startswith("Approve requirements@")
    at_top = lsp.Range(start=lsp.Position(line=0, character=0), end=lsp.Position(line=0, character=0))
    params = lsp.CodeActionParams(text_document=identifier, range=at_top, context=lsp.CodeActionContext(diagnostics=[]))
    actions = await client.text_document_code_action_async(params)
    assert {each.command.title for each in lenses if each.command.command} <= {each.title for each in actions}
    approve = lenses[0].command
    sent = lsp.ExecuteCommandParams(command=approve.command, arguments=approve.arguments)
    await client.workspace_execute_command_async(sent)
    await until(lambda: any("approved requirements" in each.message for each in client.messages))
    shows_progress = bool(capabilities.window and capabilities.window.work_done_progress)
    assert bool(client.progress_reports) == shows_progress
    assert all(isinstance(reports[0], lsp.WorkDoneProgressBegin) for reports in client.progress_reports.values())
