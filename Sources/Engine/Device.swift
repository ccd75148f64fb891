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

extension dnnl_data_type_t {
  /// Bytes of one element.
  var byteCount: Int {
    if self == dnnl_f32 || self == dnnl_s32 { return 4 }
    return self == dnnl_bf16 || self == dnnl_f16 ? 2 : 1
  }
}

/// How a buffer's elements lie and what they are: oneDNN's memory descriptor as a value.
struct Layout: Equatable, @unchecked Sendable {
  var descriptor: dnnl_memory_desc_t

  static func == (a: Layout, b: Layout) -> Bool {
    withUnsafePointer(to: a.descriptor) { a in withUnsafePointer(to: b.descriptor) { dnnl_memory_desc_equal(a, $0) != 0 } }
  }

  /// Bytes, padding included.
  var byteCount: Int { withUnsafePointer(to: descriptor) { dnnl_memory_desc_get_size($0) } }
  /// What the elements are.
  var type: dnnl_data_type_t { descriptor.data_type }
  /// Elements, padding included.
  var elementCount: Int { byteCount / type.byteCount }

  /// The same places for elements of another type.
  func holding(_ type: dnnl_data_type_t) -> Layout {
    var other = self
    other.descriptor.data_type = type
    return other
  }

  private init(_ extents: [Int], _ tag: dnnl_format_tag_t, _ type: dnnl_data_type_t) throws(EngineError) {
    descriptor = dnnl_memory_desc_t()
    try check(
      dnnl_memory_desc_init_by_tag(&descriptor, Int32(extents.count), extents.map(Int64.init), type, tag),
      "dnnl_memory_desc_init_by_tag")
  }
  init(_ descriptor: dnnl_memory_desc_t) { self.descriptor = descriptor }

  /// Row-major.
  static func plain(_ extents: [Int], _ type: dnnl_data_type_t = dnnl_f32) throws(EngineError) -> Layout {
    let tags = [dnnl_a, dnnl_ab, dnnl_abc, dnnl_abcd, dnnl_abcde]
    return try Layout(extents, tags[extents.count - 1], type)
  }
  /// `n h w c`.
  static func channelsLast(_ extents: [Int], _ type: dnnl_data_type_t = dnnl_f32) throws(EngineError) -> Layout {
    try Layout(extents, dnnl_acdb, type)
  }
  /// Bytes, `n h w c` or row-major.
  static func bytes(_ extents: [Int]) throws(EngineError) -> Layout {
    try Layout(extents, extents.count == 4 ? dnnl_acdb : dnnl_ab, dnnl_u8)
  }
  /// Left to oneDNN.
  static func any(_ extents: [Int], _ type: dnnl_data_type_t = dnnl_f32) throws(EngineError) -> Layout {
    try Layout(extents, dnnl_format_tag_any, type)
  }
  /// `n C/block h w block`: what training's kernels work on.
  static func blocked(_ extents: [Int], block: Int, _ type: dnnl_data_type_t = dnnl_f32) throws(EngineError) -> Layout {
    try Layout(extents, block == 16 ? dnnl_aBcd16b : dnnl_aBcd8b, type)
  }

  var extents: [Int] {
    withUnsafeBytes(of: descriptor.dims) { bytes in
      bytes.bindMemory(to: Int64.self).prefix(Int(descriptor.ndims)).map { Int($0) }
    }
  }

  /// All that tells where an element lies, as text: extents, padded extents, strides and inner blocks.
  var form: String {
    func list<Values>(_ values: Values, _ count: Int32) -> String {
      withUnsafeBytes(of: values) { bytes in
        bytes.bindMemory(to: Int64.self).prefix(Int(count)).map(String.init).joined(separator: ",")
      }
    }
    let (rank, blocks) = (descriptor.ndims, descriptor.format_desc.blocking)
    return [
      list(descriptor.dims, rank), list(descriptor.padded_dims, rank), list(blocks.strides, rank),
      list(blocks.inner_blks, blocks.inner_nblks), list(blocks.inner_idxs, blocks.inner_nblks),
      "\(descriptor.data_type.rawValue)", "\(descriptor.format_kind.rawValue)",
    ].joined(separator: ";")
  }

  /// A window of this layout.
  func part(_ extents: [Int], at offsets: [Int]) throws(EngineError) -> Layout {
    var part = dnnl_memory_desc_t()
    var parent = descriptor
    try check(
      dnnl_memory_desc_init_submemory(&part, &parent, extents.map(Int64.init), offsets.map(Int64.init)),
      "dnnl_memory_desc_init_submemory")
    return Layout(part)
  }
}

/// Owns a primitive descriptor: what oneDNN would run, and the layouts it wants.
final class PrimitiveDescriptor {
  let handle: dnnl_primitive_desc_t

  init(adopting handle: dnnl_primitive_desc_t) { self.handle = handle }
  deinit { dnnl_primitive_desc_destroy(handle) }

  /// Makes a descriptor from an operation descriptor, of the first kernel in oneDNN's order that is accepted; nil where
  /// there is none.
  static func make<Operation>(
    _ operation: Operation, _ attributes: Attributes?, hint: PrimitiveDescriptor? = nil, on device: Device,
    layer: String, accepting accepts: (PrimitiveDescriptor) -> Bool = { _ in true }
  ) throws(EngineError) -> PrimitiveDescriptor? {
    let attributes = if let attributes { attributes } else { try Attributes() }
    var found: PrimitiveDescriptor?
    // The iterator keeps the pointer that it is given.
    let status = withUnsafePointer(to: operation) { operation in
      var iterator: dnnl_primitive_desc_iterator_t?
      var status = dnnl_primitive_desc_iterator_create(
        &iterator, operation, attributes.handle, device.engine, hint?.handle)
      while status == dnnl_success {
        let candidate = PrimitiveDescriptor(adopting: dnnl_primitive_desc_iterator_fetch(iterator))
        if accepts(candidate) {
          found = candidate
          break
        }
        status = dnnl_primitive_desc_iterator_next(iterator)
      }
      if let iterator { dnnl_primitive_desc_iterator_destroy(iterator) }
      return status
    }
    if status == dnnl_unimplemented || status == dnnl_iterator_ends { return nil }
    try check(status, "dnnl_primitive_desc_iterator_create", layer)
    return found
  }

  private func layout(_ query: dnnl_query_t, _ index: Int32 = 0) -> Layout {
    guard let descriptor = dnnl_primitive_desc_query_md(handle, query, index) else {
      return Layout(dnnl_memory_desc_t())
    }
    return Layout(descriptor.pointee)
  }
  var source: Layout { layout(dnnl_query_src_md) }
  var weights: Layout { layout(dnnl_query_weights_md) }
  var destination: Layout { layout(dnnl_query_dst_md) }
  var sourceGradient: Layout { layout(dnnl_query_diff_src_md) }
  var weightsGradient: Layout { layout(dnnl_query_diff_weights_md) }
  var destinationGradient: Layout { layout(dnnl_query_diff_dst_md) }
  var workspace: Layout { layout(dnnl_query_workspace_md) }
  var scratchpad: Layout { layout(dnnl_query_scratchpad_md) }

  /// Whether it is oneDNN's plain loop, many times slower than its other kernels.
  var isReference: Bool { kernel.hasPrefix("ref") }

  /// The kernel that oneDNN chose: `jit:avx512_core`.
  var kernel: String {
    var text: UnsafePointer<CChar>?
    guard dnnl_primitive_desc_query(handle, dnnl_query_impl_info_str, 0, &text) == dnnl_success, let text else {
      return "unknown"
    }
    return String(cString: text)
  }
}

/// Owns a primitive, ready to run.
final class Primitive {
  let handle: dnnl_primitive_t
  init(_ descriptor: PrimitiveDescriptor, layer: String) throws(EngineError) {
    var handle: dnnl_primitive_t?
    try check(dnnl_primitive_create(&handle, descriptor.handle), "dnnl_primitive_create", layer)
    self.handle = handle!
  }
  deinit { dnnl_primitive_destroy(handle) }
}

/// Owns a primitive's attributes. The scratchpad is always ours, so that a step allocates nothing.
final class Attributes {
  let handle: dnnl_primitive_attr_t
  init() throws(EngineError) {
    var handle: dnnl_primitive_attr_t?
    try check(dnnl_primitive_attr_create(&handle), "dnnl_primitive_attr_create")
    self.handle = handle!
    try check(dnnl_primitive_attr_set_scratchpad_mode(handle, dnnl_scratchpad_mode_user), "set_scratchpad_mode")
  }
  deinit { dnnl_primitive_attr_destroy(handle) }

  /// What a primitive does to its result before it writes it.
  enum PostOperation: Hashable {
    /// Adds what the destination held.
    case sum
    case relu
    case clip(low: Float, high: Float)
  }

  func append(_ operations: [PostOperation]) throws(EngineError) {
    guard !operations.isEmpty else { return }
    var list: dnnl_post_ops_t?
    try check(dnnl_post_ops_create(&list), "dnnl_post_ops_create")
    defer { dnnl_post_ops_destroy(list) }
    for operation in operations {
      let status =
        switch operation {
        case .sum: dnnl_post_ops_append_sum(list, 1)
        case .relu: dnnl_post_ops_append_eltwise(list, 1, dnnl_eltwise_relu, 0, 0)
        case .clip(let low, let high): dnnl_post_ops_append_eltwise(list, 1, dnnl_eltwise_clip_v2, low, high)
        }
      try check(status, "dnnl_post_ops_append")
    }
    try check(dnnl_primitive_attr_set_post_ops(handle, list), "dnnl_primitive_attr_set_post_ops")
  }
}

/// Owns a memory object: a layout laid over memory that somebody else owns.
final class Memory {
  let handle: dnnl_memory_t
  init(_ layout: Layout, at pointer: UnsafeMutableRawPointer, on device: Device) throws(EngineError) {
    var handle: dnnl_memory_t?
    var descriptor = layout.descriptor
    try check(dnnl_memory_create(&handle, &descriptor, device.engine, pointer), "dnnl_memory_create")
    self.handle = handle!
  }
  deinit { dnnl_memory_destroy(handle) }
}
