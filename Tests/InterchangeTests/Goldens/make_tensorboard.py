"""Writes tensorboard.json: events as TensorBoard's own messages and record writer encode them.

    python3 -m venv V && V/bin/pip install tensorboard==2.21.0
    V/bin/python Tests/InterchangeTests/Goldens/make_tensorboard.py
"""
import io
import json
import pathlib

import tensorboard
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, types_pb2
from tensorboard.plugins.hparams import metadata, plugin_data_pb2
from tensorboard.plugins.text import metadata as text_metadata
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util import tensor_util


def summary(step, **value):
    return event_pb2.Event(
        wall_time=1.5, step=step, summary=summary_pb2.Summary(value=[summary_pb2.Summary.Value(**value)]))


def session(tag, **fields):
    return summary(
        0, tag=tag, tensor=metadata.NULL_TENSOR,
        metadata=summary_pb2.SummaryMetadata(
            plugin_data=summary_pb2.SummaryMetadata.PluginData(
                plugin_name="hparams",
                content=plugin_data_pb2.HParamsPluginData(**fields).SerializeToString(deterministic=True))))


start = plugin_data_pb2.SessionStartInfo(start_time_secs=1.5)
start.hparams["lr"].number_value = 0.05
start.hparams["batchSize"].number_value = 128
start.hparams["nesterov"].bool_value = True
start.hparams["optimizer"].string_value = "sgd"

events = {
    "version": event_pb2.Event(
        wall_time=1.5, file_version="brain.Event:2", source_metadata=event_pb2.SourceMetadata(writer="reprise")),
    "start": event_pb2.Event(wall_time=1.5, session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START)),
    "scalar": summary(300, tag="loss/train", simple_value=0.25),
    "image": summary(
        2, tag="plots/a.png",
        image=summary_pb2.Summary.Image(height=3, width=300, colorspace=3, encoded_image_string=bytes(range(200)))),
    "text": summary(
        0, tag="script", tensor=tensor_util.make_tensor_proto("    x = 1 # é", dtype=types_pb2.DT_STRING),
        metadata=summary_pb2.SummaryMetadata(
            plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name=text_metadata.PLUGIN_NAME))),
    "settings": session(metadata.SESSION_START_INFO_TAG, session_start_info=start),
    "end": session(
        metadata.SESSION_END_INFO_TAG,
        session_end_info=plugin_data_pb2.SessionEndInfo(status=1, end_time_secs=1.5)),
}

file = io.BytesIO()
file.close = lambda: None
writer = RecordWriter(file)
records = {}
for name, event in events.items():
    before = file.tell()
    writer.write(event.SerializeToString(deterministic=True))
    records[name] = file.getvalue()[before:].hex()

target = pathlib.Path(__file__).with_name("tensorboard.json")
target.write_text(json.dumps({"program": f"tensorboard {tensorboard.__version__}", "records": records}, indent=1) + "\n")
