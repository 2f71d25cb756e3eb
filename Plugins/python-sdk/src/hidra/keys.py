"""Who may connect over the network. Needs the role ``admin``, which every client of the daemon's machine has."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import List, Optional

from .calls import Calls
from .errors import AlreadyExistsError
from .home import PathLike
from .v1 import access_pb2


@dataclass(frozen=True)
class Quota:
    """What the clients of one key may use together; 0: no limit of its own. The last two are for each day, UTC."""

    open_requests: int = 0
    data_bytes: int = 0
    cache_bytes: int = 0
    core_seconds: float = 0.0


@dataclass(frozen=True)
class Key:
    """A key. ``role``: ``"infer"``, ``"train"`` or ``"admin"``. ``created``, ``revoked``: seconds since 1970, 0: it is valid."""

    name: str
    role: str
    public_key: str
    created: float
    revoked: float
    quota: Quota

    @classmethod
    def of(cls, m: access_pb2.Key) -> Key:
        quota = Quota(m.quota.open_requests, m.quota.data_bytes, m.quota.cache_bytes, m.quota.core_seconds)
        return cls(m.name, m.role, m.public_key, m.created, m.revoked, quota)


@dataclass(frozen=True)
class NewKey:
    """A key with its secret half, which nobody else has and nobody can be asked for again."""

    key: Key
    secret_key: str = field(repr=False)
    server_key: str
    endpoint: str
    """Where the daemon listens, ``tcp://HOST:PORT``; empty when it does not listen there."""

    def write(self, path: PathLike) -> None:
        """To a new file that only its owner may read, for ``Client(key=path)`` and ``HIDRA_KEY``."""
        lines = ["# A key to a hidrad. Whoever has it can connect: keep it to yourself.", f"name {self.key.name}"]
        if self.endpoint:
            lines.append(f"endpoint {self.endpoint}")
        lines += [f"server-key {self.server_key}", f"public-key {self.key.public_key}", f"secret-key {self.secret_key}"]
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise AlreadyExistsError(f"{os.fspath(path)} exists. A key is not written over another: choose another name.") from error
        with os.fdopen(file, "w", encoding="utf-8") as out:
            out.write("\n".join(lines) + "\n")


class Keys(Calls):
    """What ``Client`` does with keys."""

    def create_key(self, name: str, *, role: str = "infer", quota: Optional[Quota] = None) -> NewKey:
        """Makes a pair of keys for one client. The daemon keeps the public half; write the other down: ``NewKey.write``."""
        request = access_pb2.CreateKeyRequest(name=name, role=role)
        if quota is not None:
            request.quota.CopyFrom(
                access_pb2.Quota(
                    open_requests=quota.open_requests, data_bytes=quota.data_bytes, cache_bytes=quota.cache_bytes,
                    core_seconds=quota.core_seconds,
                )
            )  # fmt: skip
        reply = self._work("create_key", request, "create_key_reply").envelope.create_key_reply
        return NewKey(Key.of(reply.key), reply.secret_key, reply.server_key, reply.endpoint)

    def keys(self) -> List[Key]:
        """All keys, those that were revoked too."""
        reply = self._work("list_keys", access_pb2.ListKeysRequest(), "list_keys_reply").envelope.list_keys_reply
        return [Key.of(key) for key in reply.keys]

    def revoke_key(self, name: str) -> Key:
        """Nobody connects with it from now on, and connections that use it are ended."""
        request = access_pb2.RevokeKeyRequest(name=name)
        return Key.of(self._work("revoke_key", request, "revoke_key_reply").envelope.revoke_key_reply.key)
