internal import CDNNL

/// Throws unless a oneDNN call succeeded. Names the call, since the status alone says too little.
func check(_ status: dnnl_status_t, _ call: StaticString, _ layer: String? = nil) throws(EngineError) {
  guard status != dnnl_success else { return }
  throw .library(call: "\(call)", status: String(cString: dnnl_status2str(status)), layer: layer)
}

/// Calls with a pointer to a value, or with nil where there is none; it holds for the call alone.
func withOptionalPointer<Value, Result>(to value: Value?, _ body: (UnsafePointer<Value>?) -> Result) -> Result {
  guard let value else { return body(nil) }
  return withUnsafePointer(to: value) { body($0) }
}

/// Owns oneDNN's engine and one stream on it.
final class Device: @unchecked Sendable {  // Sendable: both handles are fixed; the stream is used by one thread
  let engine: dnnl_engine_t
  let stream: dnnl_stream_t

  init() throws(EngineError) {
    var engine: dnnl_engine_t?
    try check(dnnl_engine_create(&engine, dnnl_cpu, 0), "dnnl_engine_create")
    var stream: dnnl_stream_t?
    do {
      try check(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags.rawValue), "dnnl_stream_create")
    } catch {
      dnnl_engine_destroy(engine)
      throw error
    }
    self.engine = engine!
    self.stream = stream!
  }

  deinit {
    dnnl_stream_destroy(stream)
    dnnl_engine_destroy(engine)
  }
}
