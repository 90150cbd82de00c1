"""A small app that knows nothing of Exeunt, for docs/tutorials/proxy.md. It needs Python and nothing else.

It believes the fields Exeunt-User and Exeunt-User-Id, because only the proxy before it can set them: so it listens on
loopback, and nobody reaches it but through the proxy. It never sees a password or a token.

    python3 app.py [PORT]        port 0 takes a free one and prints it
"""

import html
import json
import sys
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class App(BaseHTTPRequestHandler):
    # Connections are kept alive, as a proxy likes them.
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        if path.endswith("/fields"):
            # What the proxy lets through, for whoever wants to see it.
            self.answer(200, json.dumps(self.headers.items()) + "\n", "application/json")
        elif path.startswith("/public/"):
            self.answer(200, "Everybody may read this.\n")
        else:
            self.greet()

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        text = self.rfile.read(length).decode("utf-8", "replace")
        if self.headers.get("Transfer-Encoding"):
            # A body of unknown length is not read here, and must not be taken for the next request.
            self.close_connection = True
        self.greet(f" wrote {text!r}")

    def greet(self, deed=""):
        user, number = self.headers.get("Exeunt-User"), self.headers.get("Exeunt-User-Id")
        # No name: the request did not come through the check, whatever else it came through.
        if not user or not number:
            self.answer(403, "Nobody told me who you are.\n")
            return
        name = urllib.parse.unquote(user)
        who = f"{html.escape(name)} (user {html.escape(number)}){html.escape(deed)}"
        self.answer(200, f"<!doctype html><title>Notes</title><p>Hello, {who}.</p>\n", "text/html; charset=utf-8")

    def answer(self, status, text, media_type="text/plain; charset=utf-8"):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        # A page for one person: no cache and no Back button should show it to the next.
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9000
    server = ThreadingHTTPServer(("127.0.0.1", port), App)
    print(f"The app listens on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
