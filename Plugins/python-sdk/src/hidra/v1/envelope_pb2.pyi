from hidra.v1 import access_pb2 as _access_pb2
from hidra.v1 import calls_pb2 as _calls_pb2
from hidra.v1 import control_pb2 as _control_pb2
from hidra.v1 import data_pb2 as _data_pb2
from hidra.v1 import events_pb2 as _events_pb2
from hidra.v1 import graph_pb2 as _graph_pb2
from hidra.v1 import labels_pb2 as _labels_pb2
from hidra.v1 import latent_pb2 as _latent_pb2
from hidra.v1 import plugins_pb2 as _plugins_pb2
from hidra.v1 import records_pb2 as _records_pb2
from hidra.v1 import registry_pb2 as _registry_pb2
from hidra.v1 import session_pb2 as _session_pb2
from hidra.v1 import steps_pb2 as _steps_pb2
from hidra.v1 import work_pb2 as _work_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

BFLOAT16: DataType
BOOL: DataType
DATA_TYPE_UNSPECIFIED: DataType
DESCRIPTOR: _descriptor.FileDescriptor
FLOAT16: DataType
FLOAT32: DataType
FLOAT64: DataType
INT16: DataType
INT32: DataType
INT64: DataType
INT8: DataType
PART_FINAL: Part
PART_PARTIAL: Part
UINT16: DataType
UINT32: DataType
UINT64: DataType
UINT8: DataType

class Envelope(_message.Message):
    __slots__ = ["append_rows", "append_rows_reply", "attach", "attach_reply", "backward", "backward_reply", "call", "call_result", "cancel", "cancel_reply", "check_data", "check_data_reply", "check_graph", "check_graph_reply", "cluster", "cluster_reply", "compare", "compare_reply", "control_plugin", "control_plugin_reply", "control_session", "control_session_reply", "create_key", "create_key_reply", "detach", "detach_reply", "drop_rows", "drop_rows_reply", "embed", "embed_reply", "error", "evaluate", "evaluate_reply", "event", "export", "export_bundle", "export_bundle_reply", "export_reply", "forward", "forward_backward", "forward_backward_reply", "forward_reply", "goodbye", "heartbeat", "hello", "import_bundle", "import_bundle_reply", "install_plugin", "install_plugin_reply", "latent", "latent_reply", "learning_curve", "learning_curve_reply", "list", "list_keys", "list_keys_reply", "list_plugins", "list_plugins_reply", "list_reply", "list_sessions", "list_sessions_reply", "load_state", "load_state_reply", "open_data", "open_data_reply", "optim_step", "optim_step_reply", "part", "plugin_log", "plugin_logs", "plugin_logs_reply", "predict", "predict_reply", "pretrain", "pretrain_reply", "progress", "pull", "pull_reply", "quantize", "quantize_reply", "remove", "remove_reply", "replay", "replay_reply", "request_id", "revoke_key", "revoke_key_reply", "run_graph", "run_graph_reply", "save_state", "save_state_reply", "serve", "serve_reply", "session_progress", "show", "show_reply", "show_session", "show_session_reply", "shutdown", "shutdown_reply", "start_session", "start_session_reply", "status", "status_reply", "suggest", "suggest_reply", "tensors", "test_rows", "test_rows_reply", "train", "train_reply", "upload", "upload_reply", "watch_session", "watch_session_reply", "welcome"]
    APPEND_ROWS_FIELD_NUMBER: _ClassVar[int]
    APPEND_ROWS_REPLY_FIELD_NUMBER: _ClassVar[int]
    ATTACH_FIELD_NUMBER: _ClassVar[int]
    ATTACH_REPLY_FIELD_NUMBER: _ClassVar[int]
    BACKWARD_FIELD_NUMBER: _ClassVar[int]
    BACKWARD_REPLY_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    CALL_RESULT_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    CANCEL_REPLY_FIELD_NUMBER: _ClassVar[int]
    CHECK_DATA_FIELD_NUMBER: _ClassVar[int]
    CHECK_DATA_REPLY_FIELD_NUMBER: _ClassVar[int]
    CHECK_GRAPH_FIELD_NUMBER: _ClassVar[int]
    CHECK_GRAPH_REPLY_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_REPLY_FIELD_NUMBER: _ClassVar[int]
    COMPARE_FIELD_NUMBER: _ClassVar[int]
    COMPARE_REPLY_FIELD_NUMBER: _ClassVar[int]
    CONTROL_PLUGIN_FIELD_NUMBER: _ClassVar[int]
    CONTROL_PLUGIN_REPLY_FIELD_NUMBER: _ClassVar[int]
    CONTROL_SESSION_FIELD_NUMBER: _ClassVar[int]
    CONTROL_SESSION_REPLY_FIELD_NUMBER: _ClassVar[int]
    CREATE_KEY_FIELD_NUMBER: _ClassVar[int]
    CREATE_KEY_REPLY_FIELD_NUMBER: _ClassVar[int]
    DETACH_FIELD_NUMBER: _ClassVar[int]
    DETACH_REPLY_FIELD_NUMBER: _ClassVar[int]
    DROP_ROWS_FIELD_NUMBER: _ClassVar[int]
    DROP_ROWS_REPLY_FIELD_NUMBER: _ClassVar[int]
    EMBED_FIELD_NUMBER: _ClassVar[int]
    EMBED_REPLY_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    EVALUATE_FIELD_NUMBER: _ClassVar[int]
    EVALUATE_REPLY_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    EXPORT_BUNDLE_FIELD_NUMBER: _ClassVar[int]
    EXPORT_BUNDLE_REPLY_FIELD_NUMBER: _ClassVar[int]
    EXPORT_FIELD_NUMBER: _ClassVar[int]
    EXPORT_REPLY_FIELD_NUMBER: _ClassVar[int]
    FORWARD_BACKWARD_FIELD_NUMBER: _ClassVar[int]
    FORWARD_BACKWARD_REPLY_FIELD_NUMBER: _ClassVar[int]
    FORWARD_FIELD_NUMBER: _ClassVar[int]
    FORWARD_REPLY_FIELD_NUMBER: _ClassVar[int]
    GOODBYE_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    HELLO_FIELD_NUMBER: _ClassVar[int]
    IMPORT_BUNDLE_FIELD_NUMBER: _ClassVar[int]
    IMPORT_BUNDLE_REPLY_FIELD_NUMBER: _ClassVar[int]
    INSTALL_PLUGIN_FIELD_NUMBER: _ClassVar[int]
    INSTALL_PLUGIN_REPLY_FIELD_NUMBER: _ClassVar[int]
    LATENT_FIELD_NUMBER: _ClassVar[int]
    LATENT_REPLY_FIELD_NUMBER: _ClassVar[int]
    LEARNING_CURVE_FIELD_NUMBER: _ClassVar[int]
    LEARNING_CURVE_REPLY_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    LIST_KEYS_FIELD_NUMBER: _ClassVar[int]
    LIST_KEYS_REPLY_FIELD_NUMBER: _ClassVar[int]
    LIST_PLUGINS_FIELD_NUMBER: _ClassVar[int]
    LIST_PLUGINS_REPLY_FIELD_NUMBER: _ClassVar[int]
    LIST_REPLY_FIELD_NUMBER: _ClassVar[int]
    LIST_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    LIST_SESSIONS_REPLY_FIELD_NUMBER: _ClassVar[int]
    LOAD_STATE_FIELD_NUMBER: _ClassVar[int]
    LOAD_STATE_REPLY_FIELD_NUMBER: _ClassVar[int]
    OPEN_DATA_FIELD_NUMBER: _ClassVar[int]
    OPEN_DATA_REPLY_FIELD_NUMBER: _ClassVar[int]
    OPTIM_STEP_FIELD_NUMBER: _ClassVar[int]
    OPTIM_STEP_REPLY_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    PLUGIN_LOGS_FIELD_NUMBER: _ClassVar[int]
    PLUGIN_LOGS_REPLY_FIELD_NUMBER: _ClassVar[int]
    PLUGIN_LOG_FIELD_NUMBER: _ClassVar[int]
    PREDICT_FIELD_NUMBER: _ClassVar[int]
    PREDICT_REPLY_FIELD_NUMBER: _ClassVar[int]
    PRETRAIN_FIELD_NUMBER: _ClassVar[int]
    PRETRAIN_REPLY_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    PULL_FIELD_NUMBER: _ClassVar[int]
    PULL_REPLY_FIELD_NUMBER: _ClassVar[int]
    QUANTIZE_FIELD_NUMBER: _ClassVar[int]
    QUANTIZE_REPLY_FIELD_NUMBER: _ClassVar[int]
    REMOVE_FIELD_NUMBER: _ClassVar[int]
    REMOVE_REPLY_FIELD_NUMBER: _ClassVar[int]
    REPLAY_FIELD_NUMBER: _ClassVar[int]
    REPLAY_REPLY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    REVOKE_KEY_FIELD_NUMBER: _ClassVar[int]
    REVOKE_KEY_REPLY_FIELD_NUMBER: _ClassVar[int]
    RUN_GRAPH_FIELD_NUMBER: _ClassVar[int]
    RUN_GRAPH_REPLY_FIELD_NUMBER: _ClassVar[int]
    SAVE_STATE_FIELD_NUMBER: _ClassVar[int]
    SAVE_STATE_REPLY_FIELD_NUMBER: _ClassVar[int]
    SERVE_FIELD_NUMBER: _ClassVar[int]
    SERVE_REPLY_FIELD_NUMBER: _ClassVar[int]
    SESSION_PROGRESS_FIELD_NUMBER: _ClassVar[int]
    SHOW_FIELD_NUMBER: _ClassVar[int]
    SHOW_REPLY_FIELD_NUMBER: _ClassVar[int]
    SHOW_SESSION_FIELD_NUMBER: _ClassVar[int]
    SHOW_SESSION_REPLY_FIELD_NUMBER: _ClassVar[int]
    SHUTDOWN_FIELD_NUMBER: _ClassVar[int]
    SHUTDOWN_REPLY_FIELD_NUMBER: _ClassVar[int]
    START_SESSION_FIELD_NUMBER: _ClassVar[int]
    START_SESSION_REPLY_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STATUS_REPLY_FIELD_NUMBER: _ClassVar[int]
    SUGGEST_FIELD_NUMBER: _ClassVar[int]
    SUGGEST_REPLY_FIELD_NUMBER: _ClassVar[int]
    TENSORS_FIELD_NUMBER: _ClassVar[int]
    TEST_ROWS_FIELD_NUMBER: _ClassVar[int]
    TEST_ROWS_REPLY_FIELD_NUMBER: _ClassVar[int]
    TRAIN_FIELD_NUMBER: _ClassVar[int]
    TRAIN_REPLY_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_REPLY_FIELD_NUMBER: _ClassVar[int]
    WATCH_SESSION_FIELD_NUMBER: _ClassVar[int]
    WATCH_SESSION_REPLY_FIELD_NUMBER: _ClassVar[int]
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    append_rows: _data_pb2.AppendRowsRequest
    append_rows_reply: _data_pb2.AppendRowsReply
    attach: _steps_pb2.AttachRequest
    attach_reply: _steps_pb2.AttachReply
    backward: _steps_pb2.BackwardRequest
    backward_reply: _steps_pb2.BackwardReply
    call: _calls_pb2.Call
    call_result: _calls_pb2.CallResult
    cancel: _control_pb2.CancelRequest
    cancel_reply: _control_pb2.CancelReply
    check_data: _records_pb2.CheckDataRequest
    check_data_reply: _records_pb2.CheckDataReply
    check_graph: _graph_pb2.CheckGraphRequest
    check_graph_reply: _graph_pb2.CheckGraphReply
    cluster: _labels_pb2.ClusterRequest
    cluster_reply: _labels_pb2.ClusterReply
    compare: _records_pb2.CompareRequest
    compare_reply: _records_pb2.CompareReply
    control_plugin: _plugins_pb2.ControlPluginRequest
    control_plugin_reply: _plugins_pb2.ControlPluginReply
    control_session: _session_pb2.ControlSessionRequest
    control_session_reply: _session_pb2.ControlSessionReply
    create_key: _access_pb2.CreateKeyRequest
    create_key_reply: _access_pb2.CreateKeyReply
    detach: _steps_pb2.DetachRequest
    detach_reply: _steps_pb2.DetachReply
    drop_rows: _data_pb2.DropRowsRequest
    drop_rows_reply: _data_pb2.DropRowsReply
    embed: _work_pb2.EmbedRequest
    embed_reply: _work_pb2.EmbedReply
    error: Error
    evaluate: _work_pb2.EvaluateRequest
    evaluate_reply: _work_pb2.EvaluateReply
    event: _events_pb2.Event
    export: _work_pb2.ExportRequest
    export_bundle: _records_pb2.ExportBundleRequest
    export_bundle_reply: _records_pb2.ExportBundleReply
    export_reply: _work_pb2.ExportReply
    forward: _steps_pb2.ForwardRequest
    forward_backward: _steps_pb2.ForwardBackwardRequest
    forward_backward_reply: _steps_pb2.ForwardBackwardReply
    forward_reply: _steps_pb2.ForwardReply
    goodbye: _control_pb2.Goodbye
    heartbeat: _control_pb2.Heartbeat
    hello: _control_pb2.Hello
    import_bundle: _records_pb2.ImportBundleRequest
    import_bundle_reply: _records_pb2.ImportBundleReply
    install_plugin: _plugins_pb2.InstallPluginRequest
    install_plugin_reply: _plugins_pb2.InstallPluginReply
    latent: _latent_pb2.LatentRequest
    latent_reply: _latent_pb2.LatentReply
    learning_curve: _labels_pb2.LearningCurveRequest
    learning_curve_reply: _labels_pb2.LearningCurveReply
    list: _registry_pb2.ListRequest
    list_keys: _access_pb2.ListKeysRequest
    list_keys_reply: _access_pb2.ListKeysReply
    list_plugins: _plugins_pb2.ListPluginsRequest
    list_plugins_reply: _plugins_pb2.ListPluginsReply
    list_reply: _registry_pb2.ListReply
    list_sessions: _session_pb2.ListSessionsRequest
    list_sessions_reply: _session_pb2.ListSessionsReply
    load_state: _steps_pb2.LoadStateRequest
    load_state_reply: _steps_pb2.LoadStateReply
    open_data: _data_pb2.OpenDataRequest
    open_data_reply: _data_pb2.OpenDataReply
    optim_step: _steps_pb2.OptimStepRequest
    optim_step_reply: _steps_pb2.OptimStepReply
    part: Part
    plugin_log: _plugins_pb2.PluginLog
    plugin_logs: _plugins_pb2.PluginLogsRequest
    plugin_logs_reply: _plugins_pb2.PluginLogsReply
    predict: _work_pb2.PredictRequest
    predict_reply: _work_pb2.PredictReply
    pretrain: _latent_pb2.PretrainRequest
    pretrain_reply: _latent_pb2.PretrainReply
    progress: _registry_pb2.Progress
    pull: _work_pb2.PullRequest
    pull_reply: _work_pb2.PullReply
    quantize: _work_pb2.QuantizeRequest
    quantize_reply: _work_pb2.QuantizeReply
    remove: _registry_pb2.RemoveRequest
    remove_reply: _registry_pb2.RemoveReply
    replay: _events_pb2.ReplayRequest
    replay_reply: _events_pb2.ReplayReply
    request_id: int
    revoke_key: _access_pb2.RevokeKeyRequest
    revoke_key_reply: _access_pb2.RevokeKeyReply
    run_graph: _graph_pb2.RunGraphRequest
    run_graph_reply: _graph_pb2.RunGraphReply
    save_state: _steps_pb2.SaveStateRequest
    save_state_reply: _steps_pb2.SaveStateReply
    serve: _calls_pb2.ServeRequest
    serve_reply: _calls_pb2.ServeReply
    session_progress: _session_pb2.SessionProgress
    show: _registry_pb2.ShowRequest
    show_reply: _registry_pb2.ShowReply
    show_session: _session_pb2.ShowSessionRequest
    show_session_reply: _session_pb2.ShowSessionReply
    shutdown: _control_pb2.ShutdownRequest
    shutdown_reply: _control_pb2.ShutdownReply
    start_session: _session_pb2.StartSessionRequest
    start_session_reply: _session_pb2.StartSessionReply
    status: _control_pb2.StatusRequest
    status_reply: _control_pb2.StatusReply
    suggest: _labels_pb2.SuggestRequest
    suggest_reply: _labels_pb2.SuggestReply
    tensors: _containers.RepeatedCompositeFieldContainer[TensorFrame]
    test_rows: _records_pb2.TestRowsRequest
    test_rows_reply: _records_pb2.TestRowsReply
    train: _work_pb2.TrainRequest
    train_reply: _work_pb2.TrainReply
    upload: _data_pb2.UploadRequest
    upload_reply: _data_pb2.UploadReply
    watch_session: _session_pb2.WatchSessionRequest
    watch_session_reply: _session_pb2.WatchSessionReply
    welcome: _control_pb2.Welcome
    def __init__(self, request_id: _Optional[int] = ..., part: _Optional[_Union[Part, str]] = ..., tensors: _Optional[_Iterable[_Union[TensorFrame, _Mapping]]] = ..., error: _Optional[_Union[Error, _Mapping]] = ..., hello: _Optional[_Union[_control_pb2.Hello, _Mapping]] = ..., welcome: _Optional[_Union[_control_pb2.Welcome, _Mapping]] = ..., heartbeat: _Optional[_Union[_control_pb2.Heartbeat, _Mapping]] = ..., cancel: _Optional[_Union[_control_pb2.CancelRequest, _Mapping]] = ..., cancel_reply: _Optional[_Union[_control_pb2.CancelReply, _Mapping]] = ..., status: _Optional[_Union[_control_pb2.StatusRequest, _Mapping]] = ..., status_reply: _Optional[_Union[_control_pb2.StatusReply, _Mapping]] = ..., shutdown: _Optional[_Union[_control_pb2.ShutdownRequest, _Mapping]] = ..., shutdown_reply: _Optional[_Union[_control_pb2.ShutdownReply, _Mapping]] = ..., goodbye: _Optional[_Union[_control_pb2.Goodbye, _Mapping]] = ..., replay: _Optional[_Union[_events_pb2.ReplayRequest, _Mapping]] = ..., replay_reply: _Optional[_Union[_events_pb2.ReplayReply, _Mapping]] = ..., list: _Optional[_Union[_registry_pb2.ListRequest, _Mapping]] = ..., list_reply: _Optional[_Union[_registry_pb2.ListReply, _Mapping]] = ..., show: _Optional[_Union[_registry_pb2.ShowRequest, _Mapping]] = ..., show_reply: _Optional[_Union[_registry_pb2.ShowReply, _Mapping]] = ..., remove: _Optional[_Union[_registry_pb2.RemoveRequest, _Mapping]] = ..., remove_reply: _Optional[_Union[_registry_pb2.RemoveReply, _Mapping]] = ..., append_rows: _Optional[_Union[_data_pb2.AppendRowsRequest, _Mapping]] = ..., append_rows_reply: _Optional[_Union[_data_pb2.AppendRowsReply, _Mapping]] = ..., drop_rows: _Optional[_Union[_data_pb2.DropRowsRequest, _Mapping]] = ..., drop_rows_reply: _Optional[_Union[_data_pb2.DropRowsReply, _Mapping]] = ..., upload: _Optional[_Union[_data_pb2.UploadRequest, _Mapping]] = ..., upload_reply: _Optional[_Union[_data_pb2.UploadReply, _Mapping]] = ..., open_data: _Optional[_Union[_data_pb2.OpenDataRequest, _Mapping]] = ..., open_data_reply: _Optional[_Union[_data_pb2.OpenDataReply, _Mapping]] = ..., pull: _Optional[_Union[_work_pb2.PullRequest, _Mapping]] = ..., pull_reply: _Optional[_Union[_work_pb2.PullReply, _Mapping]] = ..., train: _Optional[_Union[_work_pb2.TrainRequest, _Mapping]] = ..., train_reply: _Optional[_Union[_work_pb2.TrainReply, _Mapping]] = ..., evaluate: _Optional[_Union[_work_pb2.EvaluateRequest, _Mapping]] = ..., evaluate_reply: _Optional[_Union[_work_pb2.EvaluateReply, _Mapping]] = ..., predict: _Optional[_Union[_work_pb2.PredictRequest, _Mapping]] = ..., predict_reply: _Optional[_Union[_work_pb2.PredictReply, _Mapping]] = ..., embed: _Optional[_Union[_work_pb2.EmbedRequest, _Mapping]] = ..., embed_reply: _Optional[_Union[_work_pb2.EmbedReply, _Mapping]] = ..., progress: _Optional[_Union[_registry_pb2.Progress, _Mapping]] = ..., export: _Optional[_Union[_work_pb2.ExportRequest, _Mapping]] = ..., export_reply: _Optional[_Union[_work_pb2.ExportReply, _Mapping]] = ..., quantize: _Optional[_Union[_work_pb2.QuantizeRequest, _Mapping]] = ..., quantize_reply: _Optional[_Union[_work_pb2.QuantizeReply, _Mapping]] = ..., check_graph: _Optional[_Union[_graph_pb2.CheckGraphRequest, _Mapping]] = ..., check_graph_reply: _Optional[_Union[_graph_pb2.CheckGraphReply, _Mapping]] = ..., run_graph: _Optional[_Union[_graph_pb2.RunGraphRequest, _Mapping]] = ..., run_graph_reply: _Optional[_Union[_graph_pb2.RunGraphReply, _Mapping]] = ..., event: _Optional[_Union[_events_pb2.Event, _Mapping]] = ..., attach: _Optional[_Union[_steps_pb2.AttachRequest, _Mapping]] = ..., attach_reply: _Optional[_Union[_steps_pb2.AttachReply, _Mapping]] = ..., forward: _Optional[_Union[_steps_pb2.ForwardRequest, _Mapping]] = ..., forward_reply: _Optional[_Union[_steps_pb2.ForwardReply, _Mapping]] = ..., forward_backward: _Optional[_Union[_steps_pb2.ForwardBackwardRequest, _Mapping]] = ..., forward_backward_reply: _Optional[_Union[_steps_pb2.ForwardBackwardReply, _Mapping]] = ..., backward: _Optional[_Union[_steps_pb2.BackwardRequest, _Mapping]] = ..., backward_reply: _Optional[_Union[_steps_pb2.BackwardReply, _Mapping]] = ..., optim_step: _Optional[_Union[_steps_pb2.OptimStepRequest, _Mapping]] = ..., optim_step_reply: _Optional[_Union[_steps_pb2.OptimStepReply, _Mapping]] = ..., save_state: _Optional[_Union[_steps_pb2.SaveStateRequest, _Mapping]] = ..., save_state_reply: _Optional[_Union[_steps_pb2.SaveStateReply, _Mapping]] = ..., load_state: _Optional[_Union[_steps_pb2.LoadStateRequest, _Mapping]] = ..., load_state_reply: _Optional[_Union[_steps_pb2.LoadStateReply, _Mapping]] = ..., detach: _Optional[_Union[_steps_pb2.DetachRequest, _Mapping]] = ..., detach_reply: _Optional[_Union[_steps_pb2.DetachReply, _Mapping]] = ..., serve: _Optional[_Union[_calls_pb2.ServeRequest, _Mapping]] = ..., serve_reply: _Optional[_Union[_calls_pb2.ServeReply, _Mapping]] = ..., call: _Optional[_Union[_calls_pb2.Call, _Mapping]] = ..., call_result: _Optional[_Union[_calls_pb2.CallResult, _Mapping]] = ..., list_plugins: _Optional[_Union[_plugins_pb2.ListPluginsRequest, _Mapping]] = ..., list_plugins_reply: _Optional[_Union[_plugins_pb2.ListPluginsReply, _Mapping]] = ..., install_plugin: _Optional[_Union[_plugins_pb2.InstallPluginRequest, _Mapping]] = ..., install_plugin_reply: _Optional[_Union[_plugins_pb2.InstallPluginReply, _Mapping]] = ..., control_plugin: _Optional[_Union[_plugins_pb2.ControlPluginRequest, _Mapping]] = ..., control_plugin_reply: _Optional[_Union[_plugins_pb2.ControlPluginReply, _Mapping]] = ..., plugin_logs: _Optional[_Union[_plugins_pb2.PluginLogsRequest, _Mapping]] = ..., plugin_logs_reply: _Optional[_Union[_plugins_pb2.PluginLogsReply, _Mapping]] = ..., plugin_log: _Optional[_Union[_plugins_pb2.PluginLog, _Mapping]] = ..., create_key: _Optional[_Union[_access_pb2.CreateKeyRequest, _Mapping]] = ..., create_key_reply: _Optional[_Union[_access_pb2.CreateKeyReply, _Mapping]] = ..., list_keys: _Optional[_Union[_access_pb2.ListKeysRequest, _Mapping]] = ..., list_keys_reply: _Optional[_Union[_access_pb2.ListKeysReply, _Mapping]] = ..., revoke_key: _Optional[_Union[_access_pb2.RevokeKeyRequest, _Mapping]] = ..., revoke_key_reply: _Optional[_Union[_access_pb2.RevokeKeyReply, _Mapping]] = ..., start_session: _Optional[_Union[_session_pb2.StartSessionRequest, _Mapping]] = ..., start_session_reply: _Optional[_Union[_session_pb2.StartSessionReply, _Mapping]] = ..., list_sessions: _Optional[_Union[_session_pb2.ListSessionsRequest, _Mapping]] = ..., list_sessions_reply: _Optional[_Union[_session_pb2.ListSessionsReply, _Mapping]] = ..., show_session: _Optional[_Union[_session_pb2.ShowSessionRequest, _Mapping]] = ..., show_session_reply: _Optional[_Union[_session_pb2.ShowSessionReply, _Mapping]] = ..., watch_session: _Optional[_Union[_session_pb2.WatchSessionRequest, _Mapping]] = ..., watch_session_reply: _Optional[_Union[_session_pb2.WatchSessionReply, _Mapping]] = ..., control_session: _Optional[_Union[_session_pb2.ControlSessionRequest, _Mapping]] = ..., control_session_reply: _Optional[_Union[_session_pb2.ControlSessionReply, _Mapping]] = ..., session_progress: _Optional[_Union[_session_pb2.SessionProgress, _Mapping]] = ..., learning_curve: _Optional[_Union[_labels_pb2.LearningCurveRequest, _Mapping]] = ..., learning_curve_reply: _Optional[_Union[_labels_pb2.LearningCurveReply, _Mapping]] = ..., cluster: _Optional[_Union[_labels_pb2.ClusterRequest, _Mapping]] = ..., cluster_reply: _Optional[_Union[_labels_pb2.ClusterReply, _Mapping]] = ..., suggest: _Optional[_Union[_labels_pb2.SuggestRequest, _Mapping]] = ..., suggest_reply: _Optional[_Union[_labels_pb2.SuggestReply, _Mapping]] = ..., check_data: _Optional[_Union[_records_pb2.CheckDataRequest, _Mapping]] = ..., check_data_reply: _Optional[_Union[_records_pb2.CheckDataReply, _Mapping]] = ..., compare: _Optional[_Union[_records_pb2.CompareRequest, _Mapping]] = ..., compare_reply: _Optional[_Union[_records_pb2.CompareReply, _Mapping]] = ..., test_rows: _Optional[_Union[_records_pb2.TestRowsRequest, _Mapping]] = ..., test_rows_reply: _Optional[_Union[_records_pb2.TestRowsReply, _Mapping]] = ..., export_bundle: _Optional[_Union[_records_pb2.ExportBundleRequest, _Mapping]] = ..., export_bundle_reply: _Optional[_Union[_records_pb2.ExportBundleReply, _Mapping]] = ..., import_bundle: _Optional[_Union[_records_pb2.ImportBundleRequest, _Mapping]] = ..., import_bundle_reply: _Optional[_Union[_records_pb2.ImportBundleReply, _Mapping]] = ..., pretrain: _Optional[_Union[_latent_pb2.PretrainRequest, _Mapping]] = ..., pretrain_reply: _Optional[_Union[_latent_pb2.PretrainReply, _Mapping]] = ..., latent: _Optional[_Union[_latent_pb2.LatentRequest, _Mapping]] = ..., latent_reply: _Optional[_Union[_latent_pb2.LatentReply, _Mapping]] = ...) -> None: ...

class Error(_message.Message):
    __slots__ = ["code", "details", "message"]
    class DetailsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CODE_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: str
    details: _containers.ScalarMap[str, str]
    message: str
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ..., details: _Optional[_Mapping[str, str]] = ...) -> None: ...

class TensorFrame(_message.Message):
    __slots__ = ["name", "shape", "type"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    type: DataType
    def __init__(self, name: _Optional[str] = ..., type: _Optional[_Union[DataType, str]] = ..., shape: _Optional[_Iterable[int]] = ...) -> None: ...

class Part(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class DataType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
