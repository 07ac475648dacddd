"""The demo MCP server's arguments; tests/peers/test_mcp.py signs in to the server itself."""

from __future__ import annotations

import pytest

from doorward_demo.demo.mcp import __main__ as program


def test_an_address_without_a_port_is_refused_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        program.main(["--address", "https://mcp.example.com/mcp"])
    assert "as in http://localhost:8003/mcp" in capsys.readouterr().err


def test_without_the_sdk_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "find_spec", lambda _name: None)
    with pytest.raises(SystemExit, match=r"pip install 'doorward-demo\[mcp\]'"):
        program.main([])
