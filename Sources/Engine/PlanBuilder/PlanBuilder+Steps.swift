internal import CDNNL
internal import Networks

extension PlanBuilder {
  enum Access { case read, write, readWrite }

  /// Adds a step that runs a oneDNN primitive.
  mutating func emit(
    _ descriptor: PrimitiveDescriptor, _ node: Network.Node, _ kind: String,
    _ arguments: [(argument: Int32, value: Value, access: Access)],
    inPlace: [(written: BufferID, read: BufferID)] = []
  ) throws(EngineError) {
    let name = network[node].name
    let primitive = try Primitive(descriptor, layer: name)
    let scratchpad = descriptor.scratchpad
    let device = engine.device
    steps.append(
      PendingStep(
        label: Plan.Label(layer: name, kind: kind, kernel: descriptor.kernel),
        reads: arguments.filter { $0.access != .write }.map(\.value.buffer),
        writes: arguments.filter { $0.access != .read }.map(\.value.buffer), inPlace: inPlace,
        scratch: scratchpad.descriptor.ndims == 0 ? 0 : scratchpad.byteCount
      ) { addresses throws(EngineError) in
        var bound: [(Int32, Memory)] = []
        for (argument, value, _) in arguments {
          bound.append((argument, try Memory(value.layout, at: addresses[value.buffer], on: device)))
        }
        if scratchpad.descriptor.ndims != 0 {
          bound.append((DNNL_ARG_SCRATCHPAD, try Memory(scratchpad, at: addresses.scratch, on: device)))
        }
        return .call(Call(primitive, bound))
      })
  }

  /// Adds a step that runs one of our own kernels.
  mutating func emit(
    kernel: String, _ node: Network.Node, _ kind: String, reads: [BufferID], writes: [BufferID],
    inPlace: [(written: BufferID, read: BufferID)] = [], scratch: Int = 0,
    _ make: @escaping (Addresses) -> () -> Void
  ) {
    steps.append(
      PendingStep(
        label: Plan.Label(layer: network[node].name, kind: kind, kernel: kernel), reads: reads, writes: writes,
        inPlace: inPlace, scratch: scratch
      ) { addresses throws(EngineError) in .kernel(make(addresses)) })
  }

  /// The same array in another layout; the array itself where it has that layout.
  mutating func converted(_ value: Value, to layout: Layout, for node: Network.Node) throws(EngineError) -> Value {
    if value.layout == layout { return value }
    if let known = conversions[value.buffer]?.first(where: { $0.layout == layout }) { return known }
    let result = newValue(layout)
    try reorder(value, into: result, for: node)
    conversions[value.buffer, default: []].append(result)
    return result
  }

  /// Says that a step wrote over an array, so that its conversions no longer hold.
  mutating func overwrite(_ buffer: BufferID) { conversions[buffer] = nil }

  mutating func reorder(_ value: Value, into result: Value, for node: Network.Node) throws(EngineError) {
    let descriptor = try engine.device.reorder(from: value.layout, to: result.layout)
    try emit(
      descriptor, node, "reorder",
      [(DNNL_ARG_FROM, value, .read), (DNNL_ARG_TO, result, .write)])
  }
}
