from hidra.v1 import registry_pb2 as _registry_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Augmentation(_message.Message):
    __slots__ = ["crop", "flip", "noise", "rotation", "shift"]
    CROP_FIELD_NUMBER: _ClassVar[int]
    FLIP_FIELD_NUMBER: _ClassVar[int]
    NOISE_FIELD_NUMBER: _ClassVar[int]
    ROTATION_FIELD_NUMBER: _ClassVar[int]
    SHIFT_FIELD_NUMBER: _ClassVar[int]
    crop: float
    flip: bool
    noise: float
    rotation: float
    shift: float
    def __init__(self, rotation: _Optional[float] = ..., shift: _Optional[float] = ..., crop: _Optional[float] = ..., flip: bool = ..., noise: _Optional[float] = ...) -> None: ...

class Direction(_message.Message):
    __slots__ = ["method", "name", "quality", "vector"]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    method: str
    name: str
    quality: float
    vector: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, name: _Optional[str] = ..., method: _Optional[str] = ..., vector: _Optional[_Iterable[float]] = ..., quality: _Optional[float] = ...) -> None: ...

class LatentItem(_message.Message):
    __slots__ = ["figures", "name"]
    class FiguresEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    figures: _containers.ScalarMap[str, float]
    name: str
    def __init__(self, name: _Optional[str] = ..., figures: _Optional[_Mapping[str, float]] = ...) -> None: ...

class LatentReply(_message.Message):
    __slots__ = ["directions", "figures", "items", "notes", "pictures", "sheet"]
    class FiguresEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    DIRECTIONS_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    PICTURES_FIELD_NUMBER: _ClassVar[int]
    SHEET_FIELD_NUMBER: _ClassVar[int]
    directions: _containers.RepeatedCompositeFieldContainer[Direction]
    figures: _containers.ScalarMap[str, float]
    items: _containers.RepeatedCompositeFieldContainer[LatentItem]
    notes: _containers.RepeatedScalarFieldContainer[str]
    pictures: _containers.RepeatedScalarFieldContainer[bytes]
    sheet: bytes
    def __init__(self, items: _Optional[_Iterable[_Union[LatentItem, _Mapping]]] = ..., figures: _Optional[_Mapping[str, float]] = ..., sheet: _Optional[bytes] = ..., pictures: _Optional[_Iterable[bytes]] = ..., directions: _Optional[_Iterable[_Union[Direction, _Mapping]]] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class LatentRequest(_message.Message):
    __slots__ = ["against", "amounts", "count", "data", "direction", "encoder", "image_column", "label", "label_column", "method", "name_column", "seed", "temperature", "verb"]
    AGAINST_FIELD_NUMBER: _ClassVar[int]
    AMOUNTS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    ENCODER_FIELD_NUMBER: _ClassVar[int]
    IMAGE_COLUMN_FIELD_NUMBER: _ClassVar[int]
    LABEL_COLUMN_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    NAME_COLUMN_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    VERB_FIELD_NUMBER: _ClassVar[int]
    against: str
    amounts: _containers.RepeatedScalarFieldContainer[float]
    count: int
    data: str
    direction: str
    encoder: str
    image_column: str
    label: str
    label_column: str
    method: str
    name_column: str
    seed: int
    temperature: float
    verb: str
    def __init__(self, encoder: _Optional[str] = ..., verb: _Optional[str] = ..., data: _Optional[str] = ..., image_column: _Optional[str] = ..., name_column: _Optional[str] = ..., label_column: _Optional[str] = ..., count: _Optional[int] = ..., seed: _Optional[int] = ..., temperature: _Optional[float] = ..., direction: _Optional[str] = ..., amounts: _Optional[_Iterable[float]] = ..., method: _Optional[str] = ..., label: _Optional[str] = ..., against: _Optional[str] = ...) -> None: ...

class PretrainReply(_message.Message):
    __slots__ = ["best_epoch", "encoder", "epochs", "figures", "images", "images_per_second", "notes", "seconds", "steps", "validation_images"]
    class FiguresEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    BEST_EPOCH_FIELD_NUMBER: _ClassVar[int]
    ENCODER_FIELD_NUMBER: _ClassVar[int]
    EPOCHS_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    IMAGES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_IMAGES_FIELD_NUMBER: _ClassVar[int]
    best_epoch: int
    encoder: _registry_pb2.Encoder
    epochs: int
    figures: _containers.ScalarMap[str, float]
    images: int
    images_per_second: float
    notes: _containers.RepeatedScalarFieldContainer[str]
    seconds: float
    steps: int
    validation_images: int
    def __init__(self, encoder: _Optional[_Union[_registry_pb2.Encoder, _Mapping]] = ..., figures: _Optional[_Mapping[str, float]] = ..., images: _Optional[int] = ..., validation_images: _Optional[int] = ..., steps: _Optional[int] = ..., epochs: _Optional[int] = ..., best_epoch: _Optional[int] = ..., seconds: _Optional[float] = ..., images_per_second: _Optional[float] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class PretrainRequest(_message.Message):
    __slots__ = ["data", "encoder", "image_column", "name_column", "settings"]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ENCODER_FIELD_NUMBER: _ClassVar[int]
    IMAGE_COLUMN_FIELD_NUMBER: _ClassVar[int]
    NAME_COLUMN_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    data: str
    encoder: str
    image_column: str
    name_column: str
    settings: PretrainSettings
    def __init__(self, encoder: _Optional[str] = ..., data: _Optional[str] = ..., image_column: _Optional[str] = ..., name_column: _Optional[str] = ..., settings: _Optional[_Union[PretrainSettings, _Mapping]] = ...) -> None: ...

class PretrainSettings(_message.Message):
    __slots__ = ["augmentation", "batch_size", "beta", "beta_cycles", "beta_warmup", "channels", "code", "decoder_widths", "epochs", "gibbs_steps", "hidden", "kind", "learning_rate", "noise", "patch", "patience", "persistent", "ratio", "seed", "side", "temperature", "units", "validation", "widths"]
    AUGMENTATION_FIELD_NUMBER: _ClassVar[int]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    BETA_CYCLES_FIELD_NUMBER: _ClassVar[int]
    BETA_FIELD_NUMBER: _ClassVar[int]
    BETA_WARMUP_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    DECODER_WIDTHS_FIELD_NUMBER: _ClassVar[int]
    EPOCHS_FIELD_NUMBER: _ClassVar[int]
    GIBBS_STEPS_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LEARNING_RATE_FIELD_NUMBER: _ClassVar[int]
    NOISE_FIELD_NUMBER: _ClassVar[int]
    PATCH_FIELD_NUMBER: _ClassVar[int]
    PATIENCE_FIELD_NUMBER: _ClassVar[int]
    PERSISTENT_FIELD_NUMBER: _ClassVar[int]
    RATIO_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_FIELD_NUMBER: _ClassVar[int]
    WIDTHS_FIELD_NUMBER: _ClassVar[int]
    augmentation: Augmentation
    batch_size: int
    beta: float
    beta_cycles: int
    beta_warmup: float
    channels: int
    code: int
    decoder_widths: _containers.RepeatedScalarFieldContainer[int]
    epochs: int
    gibbs_steps: int
    hidden: int
    kind: str
    learning_rate: float
    noise: float
    patch: int
    patience: int
    persistent: bool
    ratio: float
    seed: int
    side: int
    temperature: float
    units: _containers.RepeatedScalarFieldContainer[int]
    validation: float
    widths: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, kind: _Optional[str] = ..., side: _Optional[int] = ..., channels: _Optional[int] = ..., code: _Optional[int] = ..., widths: _Optional[_Iterable[int]] = ..., decoder_widths: _Optional[_Iterable[int]] = ..., hidden: _Optional[int] = ..., units: _Optional[_Iterable[int]] = ..., epochs: _Optional[int] = ..., batch_size: _Optional[int] = ..., learning_rate: _Optional[float] = ..., seed: _Optional[int] = ..., validation: _Optional[float] = ..., patience: _Optional[int] = ..., beta: _Optional[float] = ..., beta_warmup: _Optional[float] = ..., beta_cycles: _Optional[int] = ..., noise: _Optional[float] = ..., patch: _Optional[int] = ..., ratio: _Optional[float] = ..., gibbs_steps: _Optional[int] = ..., persistent: bool = ..., temperature: _Optional[float] = ..., augmentation: _Optional[_Union[Augmentation, _Mapping]] = ...) -> None: ...
