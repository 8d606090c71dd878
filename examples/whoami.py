"""An app for a first trial: it shows who Latchkey says is asking.

    python3 whoami.py

It needs only Python 3. It listens on 127.0.0.1:9000, where only this machine reaches it, or on another
port that is given as an argument. Whatever is asked for, the answer is one page, made of the request's
identity headers: it serves no file, and shows no token and no cookie.
"""

import html
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

IDENTITY = "x-auth-request-"
TOKEN = re.compile(r"eyJ[\w-]*\.|lk_[0-9a-f]")  # how a JWT and an API token begin

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Who am I?</title></head><body>
<h1>{title}</h1>
{body}
</body></html>
"""
SOMEBODY = """<p>This app has no login of its own. Latchkey logged you in, and told the app:</p>
<table>
{rows}
</table>
<p><a href="/oauth2/account">Your sessions</a> · <a href="/oauth2/logout">Log out</a></p>"""
NOBODY = """<p>This request has no identity: it did not come through Latchkey, or its path is public.</p>"""


def identity(headers):
    """The identity headers, by their names. Traefik sends UTF-8, and Python reads headers as Latin-1."""
    found = {}
    for name, value in headers.items():
        if name.lower().startswith(IDENTITY):
            value = value.encode("latin-1").decode("utf-8", "replace")
            secret = "token" in name.lower() or TOKEN.search(value)
            found[name.lower()] = (name, "(a token, which is not shown)" if secret else value)
    return found


def page(headers):
    found = identity(headers)
    who = found.get(IDENTITY + "email") or found.get(IDENTITY + "user")
    if not who:
        return PAGE.format(title="Nobody is logged in", body=NOBODY)
    rows = "\n".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in found.values())
    return PAGE.format(title=f"You are {html.escape(who[1])}", body=SOMEBODY.format(rows=rows))


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = page(self.headers).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass  # a query may have what nobody else is to read


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9000
    try:
        ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
    except OSError as e:
        sys.exit(f"whoami: port {port}: {e.strerror}")
    except KeyboardInterrupt:
        pass
