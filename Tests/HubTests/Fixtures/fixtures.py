"""Does what the tests need Python for, in one process. Standard library only.

Reads requests from standard input, one line of JSON each, and answers each with one line of JSON:
  {"do": "hub", ...settings}                                    see hub_server.py
  {"do": "log", "hub": number}                                  every request to that hub so far, in order
  {"do": "wheel", "name": …, "version": …, "folder": …, "target": …}
  {"do": "odd archives", "folder": …}
  {"do": "deflate cases"}
It ends with its standard input.
"""

import json
import sys

import deflate_cases
import hub_server
import odd_archives
import wheels

hubs = hub_server.Hubs()
commands = {
    "hub": lambda **settings: hubs.add(settings),
    "log": hubs.log,
    "wheel": wheels.make,
    "odd archives": odd_archives.make,
    "deflate cases": deflate_cases.make,
}
for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(commands[request.pop("do")](**request)), flush=True)
