from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateKeyReply(_message.Message):
    __slots__ = ["endpoint", "key", "secret_key", "server_key"]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SECRET_KEY_FIELD_NUMBER: _ClassVar[int]
    SERVER_KEY_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    key: Key
    secret_key: str
    server_key: str
    def __init__(self, key: _Optional[_Union[Key, _Mapping]] = ..., secret_key: _Optional[str] = ..., server_key: _Optional[str] = ..., endpoint: _Optional[str] = ...) -> None: ...

class CreateKeyRequest(_message.Message):
    __slots__ = ["name", "quota", "role"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    QUOTA_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    name: str
    quota: Quota
    role: str
    def __init__(self, name: _Optional[str] = ..., role: _Optional[str] = ..., quota: _Optional[_Union[Quota, _Mapping]] = ...) -> None: ...

class Key(_message.Message):
    __slots__ = ["created", "name", "public_key", "quota", "revoked", "role"]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    QUOTA_FIELD_NUMBER: _ClassVar[int]
    REVOKED_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    created: float
    name: str
    public_key: str
    quota: Quota
    revoked: float
    role: str
    def __init__(self, name: _Optional[str] = ..., role: _Optional[str] = ..., public_key: _Optional[str] = ..., created: _Optional[float] = ..., revoked: _Optional[float] = ..., quota: _Optional[_Union[Quota, _Mapping]] = ...) -> None: ...

class ListKeysReply(_message.Message):
    __slots__ = ["keys"]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedCompositeFieldContainer[Key]
    def __init__(self, keys: _Optional[_Iterable[_Union[Key, _Mapping]]] = ...) -> None: ...

class ListKeysRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Quota(_message.Message):
    __slots__ = ["cache_bytes", "core_seconds", "data_bytes", "open_requests"]
    CACHE_BYTES_FIELD_NUMBER: _ClassVar[int]
    CORE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DATA_BYTES_FIELD_NUMBER: _ClassVar[int]
    OPEN_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    cache_bytes: int
    core_seconds: float
    data_bytes: int
    open_requests: int
    def __init__(self, open_requests: _Optional[int] = ..., data_bytes: _Optional[int] = ..., cache_bytes: _Optional[int] = ..., core_seconds: _Optional[float] = ...) -> None: ...

class RevokeKeyReply(_message.Message):
    __slots__ = ["key"]
    KEY_FIELD_NUMBER: _ClassVar[int]
    key: Key
    def __init__(self, key: _Optional[_Union[Key, _Mapping]] = ...) -> None: ...

class RevokeKeyRequest(_message.Message):
    __slots__ = ["name"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...
