internal import CDNNL
internal import CKernels
internal import Networks
public import Tensors

extension Plan {
  /// Loads weights in canonical layout; inference folds batch norms on the way. Who gives up their own reference to
  /// the weights has each tensor's memory back as soon as it is loaded.
  /// - Throws: `EngineError.weights` naming a missing, extra or wrongly shaped tensor, or one that holds NaN or infinite
  ///   numbers which inference would hide; the plan's weights are as they were then.
  public func load(_ weights: consuming Weights) throws(EngineError) {
    do { weights = try network.checked(weights) } catch { throw .weights(error) }
    for node in hidingLayers {
      for (name, _) in network.parameters(of: node) {
        let isFinite = weights[name]!.withUnsafeElements { elements in
          engine.compute.run { rk_all_finite(elements.baseAddress, Int64(elements.count)) != 0 }
        }
        guard isFinite else { throw .weights(.notFinite(name: name)) }
      }
    }
    var planned = network
    if isFolded {
      do { (planned, weights) = try FoldBatchNorm()(network, weights) } catch { throw .shape(error) }
    }
    for loader in loaders { loader(planned, weights) }
    for product in products { try product.load(planned, weights) }
    if !mode.isTraining, planned.isQuantized {
      let byteCount = weights.values.reduce(0) { $0 + 4 * $1.count }
      do { weights = try planned.roundedWeights(weights) } catch { throw .outOfMemory(byteCount: byteCount) }
    }
    for parameter in parameters { try load(weights.removeValue(forKey: parameter.name)!, into: parameter) }
    isReady = true
    guard mode == .inference else { return }
    let (start, count) = (memory.trainable.floats, Int64(memory.trainable.byteCount / 4))
    hasHugeWeights = engine.compute.run { rk_largest_magnitude(start, count) > Self.harmless }
    watches = true
  }

  /// The layers of which a NaN may not show in the logits: those before an activation of an inference, and those that are
  /// rounded.
  private var hidingLayers: [Network.Node] {
    if mode.isTraining { return [] }
    let consumers = network.consumers
    var hides = [Bool](repeating: mode == .int8, count: network.layers.count)
    for node in network.nodes.reversed() where !hides[node.index] {
      hides[node.index] =
        network.weightQuantization(of: node) != nil
        || consumers[node.index].contains { network[$0].operation.fusedActivation != nil || hides[$0.index] }
    }
    return network.nodes.filter { hides[$0.index] }
  }

  /// Loads freshly drawn weights.
  package func loadInitialWeights(seed: UInt64) throws(EngineError) {
    let weights: Weights
    do { weights = try network.initialWeights(seed: seed) } catch { throw .initialization(error) }
    try load(weights)
  }

  private func load(_ tensor: Tensor, into parameter: Parameter) throws(EngineError) {
    let plain = try Layout.plain(parameter.extents)
    try tensor.withUnsafeElements { (elements) throws(EngineError) in
      // Only read.
      let from = UnsafeMutableRawPointer(mutating: elements.baseAddress!)
      try copy(from, plain, to: address(of: parameter, in: memory.trainable.pointer), parameter.layout)
    }
  }

  private func address(of parameter: Parameter, in trainable: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    address(of: parameter, in: trainable, memory.statistics.pointer)
  }

  private func address(
    of parameter: Parameter, in trainable: UnsafeMutableRawPointer, _ statistics: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    (parameter.rule.isTrainable ? trainable : statistics) + parameter.offset
  }

  private func copy(
    _ from: UnsafeMutableRawPointer, _ fromLayout: Layout, to: UnsafeMutableRawPointer, _ toLayout: Layout
  ) throws(EngineError) {
    if fromLayout == toLayout {
      to.copyMemory(from: from, byteCount: toLayout.byteCount)
      return
    }
    // A reorder is made for as many threads as the one that makes it has: on the engine's.
    try engine.compute.run { () -> Result<Void, EngineError> in
      Result { () throws(EngineError) in try reorder(from, fromLayout, to: to, toLayout) }
    }.get()
  }

  /// On the engine's thread.
  private func reorder(
    _ from: UnsafeMutableRawPointer, _ fromLayout: Layout, to: UnsafeMutableRawPointer, _ toLayout: Layout
  ) throws(EngineError) {
    let device = engine.device
    let descriptor = try device.reorder(from: fromLayout, to: toLayout)
    let scratch = descriptor.scratchpad.descriptor.ndims == 0 ? 0 : descriptor.scratchpad.byteCount
    let space = try buffer(byteCount: scratch)
    var bound = [
      (DNNL_ARG_FROM, try Memory(fromLayout, at: from, on: device)),
      (DNNL_ARG_TO, try Memory(toLayout, at: to, on: device)),
    ]
    if scratch > 0 {
      bound.append((DNNL_ARG_SCRATCHPAD, try Memory(descriptor.scratchpad, at: space.pointer, on: device)))
    }
    let call = Call(try Primitive(descriptor, layer: "parameters"), bound)
    try check(call.execute(on: device.stream), "dnnl_primitive_execute")
    withExtendedLifetime(space.byteCount) {}
  }

  private func export(
    _ trainable: UnsafeMutableRawPointer, _ statistics: UnsafeMutableRawPointer? = nil, trainableOnly: Bool
  ) throws(EngineError) -> Weights {
    let statistics = statistics ?? memory.statistics.pointer
    var weights = Weights()
    for parameter in parameters where parameter.rule.isTrainable || !trainableOnly {
      var tensor = try zeros(parameter.rule.shape)
      try tensor.withUnsafeMutableElements { (elements) throws(EngineError) in
        try copy(
          address(of: parameter, in: trainable, statistics), parameter.layout,
          to: UnsafeMutableRawPointer(elements.baseAddress!),
          .plain(parameter.extents))
      }
      weights[parameter.name] = tensor
    }
    return weights
  }

  /// The weights as they are now, in canonical layout; of a training plan only.
  public func weights() throws(EngineError) -> Weights {
    precondition(mode.isTraining, "an inference plan holds folded weights")
    return try export(memory.trainable.pointer, trainableOnly: false)
  }

  /// The gradient of each trainable parameter after the last `backward`, in canonical layout.
  public func gradients() throws(EngineError) -> Weights {
    precondition(mode.isTraining, "an inference plan has no gradients")
    return try export(memory.gradients.pointer, trainableOnly: true)
  }

  /// An array that lies as the trainable parameters do (an optimizer's state), in canonical layout.
  package func export(arena: UnsafeMutablePointer<Float>) throws(EngineError) -> Weights {
    try export(UnsafeMutableRawPointer(arena), trainableOnly: true)
  }

  /// Arrays that lie as the trainable parameters and the statistics do (an average of weights), in canonical layout.
  package func weights(values: UnsafeMutablePointer<Float>, statistics: UnsafeMutablePointer<Float>)
    throws(EngineError) -> Weights
  { try export(UnsafeMutableRawPointer(values), UnsafeMutableRawPointer(statistics), trainableOnly: false) }
}
