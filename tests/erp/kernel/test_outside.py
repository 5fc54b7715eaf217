"""erp/kernel/outside.py: calls that other people's addresses cannot lead astray"""

import socket
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import ClassVar

import pytest

from erp.kernel.outside import BadAddress, check_address, post_outside


class Server(BaseHTTPRequestHandler):
    taken: ClassVar[list[tuple[str, dict[str, str], bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append((self.path, dict(self.headers), body))
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/taken")
        elif self.path == "/broken":
            self.send_response(500)
        else:
            self.send_response(200)
        self.end_headers()
        self.wfile.write(b"x" * 10_000)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> object:
    Server.taken.clear()
    server = HTTPServer(("127.0.0.1", 0), Server)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "https:///nowhere", "https://u:p@example.com/",
        "https://127.0.0.1/", "https://10.0.0.8/", "https://192.168.1.1/", "https://169.254.169.254/",
        "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://0.0.0.0/", "https://224.0.0.1/",
        "https://100.64.0.1/",
    ],
)  # fmt: skip
def test_refuses_what_is_not_an_address_outside(url: str) -> None:
    with pytest.raises(BadAddress):
        check_address(url)


def test_lets_pass_names_and_addresses_outside() -> None:
    check_address("https://example.com/hooks?x=1")
    check_address("https://93.184.216.34:8443/")
    check_address("http://127.0.0.1:9/", may_be_private=True)


def test_calls_nobody_inside_though_a_name_leads_there() -> None:
    reply = post_outside("https://localhost:1/", body=b"{}", headers={})

    assert (reply.status, reply.is_taken) == (0, False)
    assert "inside a network" in reply.said


def test_sends_the_body_and_keeps_little_of_the_answer(port: int) -> None:
    url = f"http://127.0.0.1:{port}/taken?a=1"
    reply = post_outside(url, body=b"{}", headers={"X-A": "1"}, may_be_private=True)

    assert (reply.status, reply.is_taken, len(reply.said)) == (200, True, 2_000)
    ((path, headers, body),) = Server.taken
    assert (path, headers["X-A"], body) == ("/taken?a=1", "1", b"{}")


@pytest.mark.parametrize(("path", "status"), [("/moved", 302), ("/broken", 500)])
def test_follows_nothing_and_says_what_came_back(port: int, path: str, status: int) -> None:
    reply = post_outside(
        f"http://127.0.0.1:{port}{path}", body=b"{}", headers={}, may_be_private=True
    )

    assert (reply.status, reply.is_taken) == (status, False)
    assert [one[0] for one in Server.taken] == [path]


def test_waits_no_longer_than_it_may() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        reply = post_outside(url, body=b"{}", headers={}, seconds=0.2, may_be_private=True)

    assert reply.status == 0
    assert "imeout" in reply.said or "timed out" in reply.said
