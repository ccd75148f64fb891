internal import CDNNL
internal import CKernels
internal import Networks

/// What a plan knows of its way back while it is built.
struct BackwardState {
  /// What each layer asks to be done, in forward order. Untyped, since swiftc 6.3 crashes on closures of this form with a
  /// typed error; all that they throw is `EngineError`.
  private(set) var layers: [(inout PlanBuilder) throws -> Void] = []
  /// What flows back into each layer's output.
  var contributions: [[Value]]
  /// Whether something before a layer, or itself, wants a gradient.
  let needsGradient: [Bool]
  /// Copies of gradients that can be read after a step.
  var taps: [Network.Node: Value] = [:]

  init(_ network: Network, _ mode: Plan.Mode, taps: Set<Network.Node>) {
    contributions = Array(repeating: [], count: network.layers.count)
    var needs: [Bool] = []
    for node in network.nodes {
      let isWanted = if case .training(inputGradient: true) = mode { node == network.input } else { false }
      let hasParameters = network.parameters(of: node).contains { $0.rule.isTrainable }
      needs.append(
        isWanted || hasParameters || network[node].inputs.contains { needs[$0.index] } || taps.contains(node))
    }
    needsGradient = needs
  }

  mutating func append(_ layer: @escaping (inout PlanBuilder) throws -> Void) { layers.append(layer) }
}

extension PlanBuilder {
  var needsGradient: [Bool] { backward.needsGradient }

  /// Adds to what flows back into a layer's output.
  mutating func contribute(_ gradient: Value, to node: Network.Node) {
    backward.contributions[node.index].append(gradient)
  }

  /// What flows back into a layer's output, in its layout, as at most so many parts that are still to be added up.
  mutating func gradientParts(of node: Network.Node, atMost limit: Int = 1) throws(EngineError) -> [Value] {
    let layout = value(of: node).layout
    var parts: [Value] = []
    for part in backward.contributions[node.index] { parts.append(try converted(part, to: layout, for: node)) }
    let isTapped = taps.contains(node)
    while parts.count > (isTapped ? 1 : limit) {
      let (a, b) = (parts[parts.count - 2], parts[parts.count - 1])
      parts.removeLast(2)
      parts.append(add(a, b, "add gradient", for: node))
    }
    backward.contributions[node.index] = parts
    if isTapped, let whole = parts.first { backward.taps[node] = try plainCopy(of: whole, for: node) }
    return parts
  }

  /// What flows back into a layer's output, as one array; nil where nothing does.
  mutating func gradient(of node: Network.Node) throws(EngineError) -> Value? {
    try gradientParts(of: node, atMost: 1).first
  }

  /// The element-wise sum of two arrays of one layout.
  mutating func add(_ a: Value, _ b: Value, _ kind: String, for node: Network.Node) -> Value {
    let sum = newValue(a.layout)
    let count = Int64(sum.layout.elementCount)
    emit(
      kernel: "add", node, kind, reads: [a.buffer, b.buffer], writes: [sum.buffer],
      inPlace: [(sum.buffer, a.buffer), (sum.buffer, b.buffer)]
    ) { addresses in
      if sum.layout.type == dnnl_bf16 {
        let (a, b, y) = (addresses.halves(a.buffer), addresses.halves(b.buffer), addresses.halves(sum.buffer))
        return { rk_add_bf16(a, b, y, count) }
      }
      let (a, b, y) = (addresses.floats(a.buffer), addresses.floats(b.buffer), addresses.floats(sum.buffer))
      return { rk_add(a, b, y, count) }
    }
    return sum
  }

  mutating func plainCopy(of value: Value, for node: Network.Node) throws(EngineError) -> Value {
    let copy = newValue(try .plain(value.layout.extents), .pinned)
    try reorder(value, into: copy, for: node)
    return copy
  }
}
