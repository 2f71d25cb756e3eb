from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ControlPluginReply(_message.Message):
    __slots__ = ["plugin"]
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    plugin: Plugin
    def __init__(self, plugin: _Optional[_Union[Plugin, _Mapping]] = ...) -> None: ...

class ControlPluginRequest(_message.Message):
    __slots__ = ["action", "name"]
    class Action(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    ACTION_FIELD_NUMBER: _ClassVar[int]
    ACTION_UNSPECIFIED: ControlPluginRequest.Action
    NAME_FIELD_NUMBER: _ClassVar[int]
    REMOVE: ControlPluginRequest.Action
    RESTART: ControlPluginRequest.Action
    START: ControlPluginRequest.Action
    STOP: ControlPluginRequest.Action
    action: ControlPluginRequest.Action
    name: str
    def __init__(self, name: _Optional[str] = ..., action: _Optional[_Union[ControlPluginRequest.Action, str]] = ...) -> None: ...

class InstallPluginReply(_message.Message):
    __slots__ = ["plugin"]
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    plugin: Plugin
    def __init__(self, plugin: _Optional[_Union[Plugin, _Mapping]] = ...) -> None: ...

class InstallPluginRequest(_message.Message):
    __slots__ = ["directory", "replace"]
    DIRECTORY_FIELD_NUMBER: _ClassVar[int]
    REPLACE_FIELD_NUMBER: _ClassVar[int]
    directory: str
    replace: bool
    def __init__(self, directory: _Optional[str] = ..., replace: bool = ...) -> None: ...

class ListPluginsReply(_message.Message):
    __slots__ = ["plugins"]
    PLUGINS_FIELD_NUMBER: _ClassVar[int]
    plugins: _containers.RepeatedCompositeFieldContainer[Plugin]
    def __init__(self, plugins: _Optional[_Iterable[_Union[Plugin, _Mapping]]] = ...) -> None: ...

class ListPluginsRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Plugin(_message.Message):
    __slots__ = ["command", "description", "directory", "heads", "name", "problem", "process_id", "resident_bytes", "restarts", "role", "started", "state", "tasks", "version"]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    DIRECTORY_FIELD_NUMBER: _ClassVar[int]
    HEADS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    PROCESS_ID_FIELD_NUMBER: _ClassVar[int]
    RESIDENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    command: _containers.RepeatedScalarFieldContainer[str]
    description: str
    directory: str
    heads: _containers.RepeatedScalarFieldContainer[str]
    name: str
    problem: str
    process_id: int
    resident_bytes: int
    restarts: int
    role: str
    started: float
    state: str
    tasks: _containers.RepeatedScalarFieldContainer[str]
    version: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., state: _Optional[str] = ..., process_id: _Optional[int] = ..., restarts: _Optional[int] = ..., directory: _Optional[str] = ..., command: _Optional[_Iterable[str]] = ..., tasks: _Optional[_Iterable[str]] = ..., role: _Optional[str] = ..., started: _Optional[float] = ..., resident_bytes: _Optional[int] = ..., problem: _Optional[str] = ..., description: _Optional[str] = ..., heads: _Optional[_Iterable[str]] = ...) -> None: ...

class PluginLog(_message.Message):
    __slots__ = ["lines"]
    LINES_FIELD_NUMBER: _ClassVar[int]
    lines: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, lines: _Optional[_Iterable[str]] = ...) -> None: ...

class PluginLogsReply(_message.Message):
    __slots__ = ["dropped"]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    dropped: int
    def __init__(self, dropped: _Optional[int] = ...) -> None: ...

class PluginLogsRequest(_message.Message):
    __slots__ = ["follow", "lines", "name"]
    FOLLOW_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    follow: bool
    lines: int
    name: str
    def __init__(self, name: _Optional[str] = ..., lines: _Optional[int] = ..., follow: bool = ...) -> None: ...
