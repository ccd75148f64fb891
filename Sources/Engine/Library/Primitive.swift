internal import CDNNL

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

extension Device {
  func reorder(from source: Layout, to destination: Layout) throws(EngineError) -> PrimitiveDescriptor {
    var handle: dnnl_primitive_desc_t?
    var (from, to) = (source.descriptor, destination.descriptor)
    let attributes = try Attributes()
    try check(
      dnnl_reorder_primitive_desc_create(&handle, &from, engine, &to, engine, attributes.handle),
      "dnnl_reorder_primitive_desc_create")
    return PrimitiveDescriptor(adopting: handle!)
  }
}
