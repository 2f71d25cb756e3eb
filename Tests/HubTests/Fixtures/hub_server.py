"""A small copy of the Hugging Face hub's HTTP layout, for tests. Standard library only.

One server plays any number of hubs, each below a path of its own, with one repository from a folder. Weights
(*.safetensors) are "in LFS": the hub answers with a redirect to a second server on another port, which refuses any
request that carries an Authorization header, as a pre-signed address does.

`Hubs.add(settings)` makes a hub; settings:
  root      folder with the repository's files
  repo      "org/name"
  commit    40 hexadecimal digits
  revisions other names of that commit: ["main", ...]
  token     without it every request to the hub is answered as for a repository that is private
  gated     true: files are refused with GatedRepo, whatever the token
  faults    {path: [fault, ...]}, one used up by each GET of that file's content ("api" for the API,
            "HEAD path" for HEAD):
            {"kind": "drop", "after": n}       sends n bytes of the body, then breaks the connection
            {"kind": "short", "by": n}         sends n bytes less than there are, and says so
            {"kind": "long", "by": n}          sends n bytes more
            {"kind": "corrupt", "at": n}       changes the byte at n
            {"kind": "status", "code": n, "retry_after": s}
            {"kind": "stall", "after": n}      sends n bytes, then nothing until the client leaves
            {"kind": "loop"}                   redirects to the same address
            {"kind": "whole"}                  ignores Range
            {"kind": "elsewhere"}              answers another range than was asked for
            {"kind": "moved"}                  redirects once to the same file at another path of the same host
            {"kind": "garbage"}                answers with bytes that are not HTTP
            {"kind": "downgrade"}              redirects to an ftp address
            {"kind": "wrong_etag"}             promises another digest
`Hubs.log(number)` returns every request to that hub so far, in order.
"""

import gzip
import hashlib
import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def is_lfs(path):
    return path.endswith(".safetensors")


class Hub:
    def __init__(self, settings):
        root = Path(settings["root"])
        self.settings = settings
        self.repo = settings["repo"]
        self.commit = settings["commit"]
        self.lock = threading.Lock()
        self.log = []
        self.faults = {path: list(items) for path, items in settings.get("faults", {}).items()}
        self.content = {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}

    def etag(self, path):
        data = self.content[path]
        if is_lfs(path):
            return hashlib.sha256(data).hexdigest()
        return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()

    def next_fault(self, key):
        with self.lock:
            queue = self.faults.get(key, [])
            return queue.pop(0) if queue else {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Two small writes, one of them waiting for an acknowledgement, would take 40 ms.
    disable_nagle_algorithm = True
    role = "hub"

    def log_message(self, *arguments):
        pass

    def setup(self):
        super().setup()
        self.wfile = self.connection.makefile("wb", 1 << 16)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        _, number, rest = path.split("/", 2)
        self.hub = self.server.hubs[int(number)]
        names = ("Authorization", "Range", "If-Range", "Accept-Encoding")
        entry = {"host": self.role, "method": self.command, "path": "/" + rest}
        entry.update({name.lower(): self.headers[name] for name in names if self.headers[name]})
        with self.hub.lock:
            self.hub.log.append(entry)
        self.handle_path(rest)

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def error(self, status, code):
        body = json.dumps({"error": code}).encode()
        self.answer(status, body, X_Error_Code=code, X_Error_Message=code)

    def fail(self, fault):
        """Answers a fault that replaces the whole response; False when there is none."""
        kind = fault.get("kind")
        if kind == "status":
            extra = {"Retry_After": fault["retry_after"]} if "retry_after" in fault else {}
            self.answer(fault["code"], b"later", **extra)
        elif kind == "loop":
            self.answer(302, b"again", Location=self.path)
        elif kind == "downgrade":
            self.answer(302, b"", Location="ftp://127.0.0.1/file")
        elif kind == "garbage":
            self.wfile.write(b"\x00\xff\x17 not http at all\r\n\r\n" * 20)
            self.close_connection = True
        else:
            return False
        return True

    def wanted_range(self, total):
        """First and last byte of the Range header, or None."""
        value = self.headers["Range"]
        if not value:
            return None
        first, _, last = value.removeprefix("bytes=").partition("-")
        return int(first), min(int(last), total - 1) if last else total - 1

    def send_content(self, path, tag, fault):
        data = bytearray(self.hub.content[path])
        kind = fault.get("kind")
        if kind == "corrupt":
            data[fault["at"]] ^= 1
        if kind == "long":
            data += bytes(fault["by"])
        if kind == "short":
            del data[len(data) - fault["by"]:]
        total = len(data)
        wanted = self.wanted_range(total)
        if kind == "whole" or self.headers["If-Range"] not in (None, tag):
            wanted = None
        if wanted and wanted[0] >= total:
            return self.answer(416, b"", Content_Range=f"bytes */{total}")
        if wanted and kind == "elsewhere":
            wanted = wanted[0] + 1, wanted[1]
        first, last = wanted or (0, total - 1)
        body = bytes(data[first:last + 1])
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{total}")
        if self.role == "hub" and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("ETag", tag)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(body)))
        if self.role == "hub":
            self.send_header("X-Repo-Commit", self.hub.commit)
        self.end_headers()
        if self.command == "HEAD":
            return
        if kind in ("drop", "stall"):
            self.wfile.write(body[:fault["after"]])
            self.wfile.flush()
            self.close_connection = True
            if kind == "stall":
                self.connection.recv(1)
            return
        self.wfile.write(body)


class HubHandler(Handler):
    def handle_path(self, path):
        if path.startswith("api/models/"):
            return self.api(path.removeprefix("api/models/"))
        moved = path.startswith("moved/")
        name, _, rest = path.removeprefix("moved/").partition("/resolve/")
        revision, _, file = rest.partition("/")
        if not self.allowed(name):
            return
        if self.hub.settings.get("gated"):
            return self.error(403, "GatedRepo")
        if revision != self.hub.commit:
            return self.error(404, "RevisionNotFound")
        if file not in self.hub.content:
            return self.error(404, "EntryNotFound")
        self.file(file, moved)

    def allowed(self, name):
        token = self.hub.settings.get("token")
        if token and self.headers["Authorization"] != "Bearer " + token:
            # So says the hub of a private repository, and of an unknown one, to whom it does not know.
            self.error(401, "RepoNotFound")
            return False
        if name != self.hub.repo:
            self.error(404, "RepoNotFound")
            return False
        return True

    def api(self, rest):
        name, _, revision = rest.partition("/revision/")
        if not self.allowed(name) or self.fail(self.hub.next_fault("api")):
            return
        if revision != self.hub.commit and revision not in self.hub.settings.get("revisions", ["main"]):
            return self.error(404, "RevisionNotFound")
        siblings = [{"rfilename": path} for path in sorted(self.hub.content)]
        tags = ["bert", "license:apache-2.0"]
        body = {"id": self.hub.repo, "sha": self.hub.commit, "siblings": siblings, "tags": tags}
        self.answer(200, json.dumps(body).encode(), Content_Type="application/json")

    def file(self, file, moved):
        head = self.command == "HEAD"
        fault = {} if is_lfs(file) and not head else self.hub.next_fault("HEAD " + file if head else file)
        if self.fail(fault):
            return
        number = self.path.split("/")[1]
        if fault.get("kind") == "moved" and not moved:
            # As for a renamed repository: a relative address on the same host.
            return self.answer(307, b"", Location=f"/{number}/moved/" + self.path.removeprefix(f"/{number}/"))
        tag = self.hub.etag(file)
        if fault.get("kind") == "wrong_etag":
            tag = "0" * len(tag)
        if is_lfs(file):
            location = f"http://127.0.0.1:{self.server.lfs_port}/{number}/{file}?signature=x"
            return self.answer(
                302, b"Found. Redirecting", Location=location, X_Repo_Commit=self.hub.commit,
                X_Linked_Size=len(self.hub.content[file]), X_Linked_Etag=f'"{tag}"', ETag=f'"{tag}"')
        # A weak ETag, as a proxy in front of the hub makes it.
        self.send_content(file, f'W/"{tag}"' if head else f'"{tag}"', fault)


class LfsHandler(Handler):
    role = "lfs"

    def handle_path(self, file):
        if self.headers["Authorization"]:
            return self.answer(400, b"Only one auth mechanism allowed")
        fault = self.hub.next_fault(file)
        if not self.fail(fault):
            self.send_content(file, f'"lfs-{len(self.hub.content[file])}"', fault)


class Hubs:
    """Both servers, and the hubs they play."""

    def __init__(self):
        self.hubs = []
        self.lfs = self.serve(LfsHandler)
        self.server = self.serve(HubHandler)
        self.server.lfs_port = self.lfs.server_port

    def serve(self, handler):
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        server.hubs = self.hubs
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def add(self, settings):
        hub = Hub(settings)
        self.hubs.append(hub)
        return {
            "number": len(self.hubs) - 1,
            "endpoint": f"http://127.0.0.1:{self.server.server_port}/{len(self.hubs) - 1}",
            "sha256": {path: hashlib.sha256(data).hexdigest() for path, data in hub.content.items()},
        }

    def log(self, hub):
        return self.hubs[hub].log
