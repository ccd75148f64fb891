internal import CDNNL
internal import CKernels
internal import Networks
internal import Tensors

extension PlanBuilder {
  /// A layer that multiplies by what is drawn again each step. Nothing is kept: the way back draws the same again.
  private mutating func drop(
    _ node: Network.Node, _ kind: String, rate: Float, purpose: RandomPurpose, needsOrder: Bool,
    _ kernel: @escaping @Sendable (
      UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int64, Int64, Float, UnsafePointer<rk_random_state>, UInt32
    ) -> Void
  ) throws(EngineError) {
    let source = network[node].inputs[0]
    let given = value(of: source)
    guard isTraining, rate > 0 else {
      values[node.index] = given
      backward.append { plan in
        guard plan.needsGradient[source.index], let dy = try plan.gradient(of: node) else { return }
        plan.contribute(dy, to: source)
      }
      return
    }
    let layout = needsOrder ? try Layout.plain(extents(of: node)) : given.layout.holding(dnnl_f32)
    let x = try converted(given, to: layout, for: node)
    let y = newValue(layout)
    values[node.index] = y
    let rows = Int64(batch)
    let count = Int64(layout.elementCount / batch)
    let tail = RandomKey(seed: 0, for: purpose, lane: node.index).counterTail.2
    func emit(_ x: Value, _ y: Value, _ kind: String, in plan: inout PlanBuilder) {
      plan.emit(
        kernel: "philox", node, kind, reads: [x.buffer], writes: [y.buffer], inPlace: [(y.buffer, x.buffer)]
      ) { addresses in
        let (from, to, random) = (addresses.floats(x.buffer), addresses.floats(y.buffer), addresses.random)
        return { kernel(from, to, rows, count, rate, random, tail) }
      }
    }
    emit(x, y, kind, in: &self)
    backward.append { plan in
      guard plan.needsGradient[source.index], let dy = try plan.gradient(of: node) else { return }
      let dx = plan.newValue(layout)
      emit(dy, dx, kind + " gradient", in: &plan)
      plan.contribute(dx, to: source)
    }
  }

  mutating func dropout(_ node: Network.Node, rate: Float) throws(EngineError) {
    try drop(node, "dropout", rate: rate, purpose: .dropout, needsOrder: true) { rk_dropout($0, $1, $2, $3, $4, $5, $6) }
  }

  mutating func dropPath(_ node: Network.Node, rate: Float) throws(EngineError) {
    try drop(node, "drop path", rate: rate, purpose: .dropPath, needsOrder: false) {
      rk_drop_path($0, $1, $2, $3, $4, $5, $6)
    }
  }
}

extension Dropout {
  func build(_ node: Network.Node, in plan: inout PlanBuilder) throws(EngineError) {
    try plan.dropout(node, rate: rate)
  }
}

extension DropPath {
  func build(_ node: Network.Node, in plan: inout PlanBuilder) throws(EngineError) {
    try plan.dropPath(node, rate: rate)
  }
}
