internal import CDNNL

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
