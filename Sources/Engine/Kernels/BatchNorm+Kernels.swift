internal import CDNNL
internal import CKernels
internal import Networks
internal import Tensors

extension PlanBuilder {
  /// A batch norm: with the batch's statistics and what follows it in training, with the running ones in inference.
  mutating func buildNorm(_ group: Fusions.Norm) throws(EngineError) {
    guard case .batchNorm(let rules) = network[group.norm].operation else { preconditionFailure("not a batch norm") }
    if isTraining { try buildTrainingNorm(rules, group) } else { try rules.buildInference(group.norm, in: &self) }
  }

  private mutating func buildTrainingNorm(_ rules: BatchNorm, _ group: Fusions.Norm) throws(EngineError) {
    let node = group.norm
    let source = network[node].inputs[0]
    let type = value(of: source).layout.type
    let blocked = try Layout.blocked(extents(of: node), block: block, type)
    let x = try converted(value(of: source), to: blocked, for: node)
    var residual: Value?
    if let other = group.residual { residual = try converted(value(of: other), to: blocked, for: node) }
    let y = newValue(blocked)
    values[group.last.index] = y

    let shape = network.shape(of: node)
    let channels = (shape[0] + block - 1) / block * block
    let indices = try normParameters(of: node)
    let parameterBuffers = indices.map { value(ofParameter: $0).buffer }
    let mean = newBuffer(channels * 4)
    let rstd = newBuffer(channels * 4)
    let reduction = normReduction
    let sums = reduction.map { _ in newBuffer(2 * channels * 8) }
    let scratch = Int(rk_batch_norm_scratch(Int64(batch), Int64(channels))) * 4

    var shared = rk_batch_norm()
    shared.batch = Int64(batch)
    shared.channels = Int64(channels)
    shared.pixels = Int64(shape[1] * shape[2])
    shared.block = Int32(block)
    shared.has_residual = residual == nil ? 0 : 1
    shared.is_bf16 = type == dnnl_bf16 ? 1 : 0
    shared.epsilon = rules.epsilon
    shared.momentum = rules.momentum
    shared.processes = Int64(reduction?.processes ?? 0)
    switch group.activation.flatMap({ network[$0].operation.fusedActivation }) {
    case .relu: shared.activation = Int32(rk_activation_relu)
    case .clip(let clip):
      shared.activation = Int32(rk_activation_clip)
      (shared.low, shared.high) = (clip.low, clip.high)
    case nil: break
    }
    let kind = "batch norm" + (group.add == nil ? "" : " + add") + (group.activation == nil ? "" : " + activation")
    let kernel = "blocked \(block)"
    emit(
      kernel: kernel, group.last, kind,
      reads: [x.buffer] + parameterBuffers + (residual.map { [$0.buffer] } ?? []),
      writes: [y.buffer, mean, rstd] + (sums.map { [$0] } ?? []), inPlace: residual.map { [(y.buffer, $0.buffer)] } ?? [], scratch: scratch
    ) { [shared] addresses in
      var p = shared
      (p.x, p.y) = (UnsafeRawPointer(addresses[x.buffer]), addresses[y.buffer])
      p.residual = UnsafeRawPointer(addresses.pointer(to: residual?.buffer))
      (p.scale, p.shift) = (
        UnsafePointer(addresses.floats(parameterBuffers[0])), UnsafePointer(addresses.floats(parameterBuffers[1]))
      )
      (p.running_mean, p.running_variance) = (
        addresses.floats(parameterBuffers[2]), addresses.floats(parameterBuffers[3])
      )
      (p.mean, p.rstd) = (addresses.floats(mean), addresses.floats(rstd))
      p.partial = addresses.scratch.assumingMemoryBound(to: Float.self)
      p.sums = sums.map { addresses[$0].assumingMemoryBound(to: Double.self) }
      let isFrozen = addresses.areNormsFrozen
      p.is_frozen = UnsafePointer(isFrozen)
      let arguments = KernelArguments(p)
      guard let reduction, let sums = p.sums else { return { rk_batch_norm_forward(arguments.pointer) } }
      return {
        if isFrozen.pointee != 0 { return rk_batch_norm_forward(arguments.pointer) }
        rk_batch_norm_forward_sums(arguments.pointer)
        reduction.sum(sums, 2 * channels)
        rk_batch_norm_forward_rest(arguments.pointer)
      }
    }

    backward.append { [shared] plan in
      let parts = try plan.gradientParts(of: group.last, atMost: 2)
      guard let dy = parts.first else { return }
      let second = parts.count > 1 ? parts[1] : nil
      let dx = plan.newValue(blocked)
      // Without a residual the output follows from x again.
      let masking = residual == nil || group.activation == nil ? nil : y
      let needsResidual = group.residual.map { plan.needsGradient[$0.index] } ?? false
      let dresidual = needsResidual ? plan.newValue(blocked) : nil
      let sums = reduction.map { _ in plan.newBuffer(2 * channels * 8) }
      let (dscale, dshift) = (plan.value(ofGradient: indices[0]), plan.value(ofGradient: indices[1]))
      // With a residual its gradient takes the place of dy, else dx does.
      let replaced = dresidual ?? dx
      plan.emit(
        kernel: kernel, group.last, kind + " gradient",
        reads: [dy.buffer, x.buffer, mean, rstd] + parameterBuffers[..<2] + [second?.buffer, masking?.buffer].compactMap { $0 },
        writes: [dx.buffer, dscale.buffer, dshift.buffer] + (dresidual.map { [$0.buffer] } ?? []) + (sums.map { [$0] } ?? []),
        inPlace: [(replaced.buffer, dy.buffer)], scratch: scratch
      ) { addresses in
        var p = shared
        (p.x, p.y) = (UnsafeRawPointer(addresses[x.buffer]), addresses.pointer(to: masking?.buffer))
        p.dy = UnsafeRawPointer(addresses[dy.buffer])
        p.dy2 = UnsafeRawPointer(addresses.pointer(to: second?.buffer))
        (p.scale, p.shift) = (
          UnsafePointer(addresses.floats(parameterBuffers[0])), UnsafePointer(addresses.floats(parameterBuffers[1]))
        )
        (p.mean, p.rstd) = (addresses.floats(mean), addresses.floats(rstd))
        (p.dx, p.dresidual) = (addresses[dx.buffer], addresses.pointer(to: dresidual?.buffer))
        (p.dscale, p.dshift) = (addresses.floats(dscale.buffer), addresses.floats(dshift.buffer))
        p.partial = addresses.scratch.assumingMemoryBound(to: Float.self)
        p.sums = sums.map { addresses[$0].assumingMemoryBound(to: Double.self) }
        let isFrozen = addresses.areNormsFrozen
        p.is_frozen = UnsafePointer(isFrozen)
        let arguments = KernelArguments(p)
        guard let reduction, let sums = p.sums else { return { rk_batch_norm_backward(arguments.pointer) } }
        return {
          if isFrozen.pointee != 0 { return rk_batch_norm_backward(arguments.pointer) }
          rk_batch_norm_backward_sums(arguments.pointer)
          reduction.sum(sums, 2 * channels)
          rk_batch_norm_backward_rest(arguments.pointer)
        }
      }
      if plan.needsGradient[source.index] { plan.contribute(dx, to: source) }
      if let residual = group.residual, let dresidual { plan.contribute(dresidual, to: residual) }
    }
  }
}

extension BatchNorm {
  /// Normalizes by the running statistics, where no convolution before it could take them in.
  fileprivate func buildInference(_ node: Network.Node, in plan: inout PlanBuilder) throws(EngineError) {
    let name = plan.network[node].name
    let x = plan.value(of: plan.network[node].inputs[0])
    let channels = plan.network.shape(of: node)[0]
    var layout = x.layout
    var operation = dnnl_batch_normalization_desc_t()
    let flags = dnnl_use_global_stats.rawValue | dnnl_use_scale.rawValue | dnnl_use_shift.rawValue
    try check(
      dnnl_batch_normalization_forward_desc_init(
        &operation, dnnl_forward_inference, &layout.descriptor, epsilon, flags),
      "dnnl_batch_normalization_forward_desc_init", name)
    guard let descriptor = try PrimitiveDescriptor.make(operation, nil, on: plan.engine.device, layer: name) else {
      throw plan.missing("batch norm", node)
    }
    let plain = try Layout.plain([channels])
    let indices = (0..<4).map { i in plan.newParameter(node, i, extents: [channels], plain) }
    let (scale, shift) = (plan.value(ofParameter: indices[0]), plan.value(ofParameter: indices[1]))
    let (mean, variance) = (plan.value(ofParameter: indices[2]), plan.value(ofParameter: indices[3]))
    let y = plan.newValue(layout)
    try plan.emit(
      descriptor, node, "batch norm",
      [
        (DNNL_ARG_SRC, x, .read), (DNNL_ARG_MEAN, mean, .read), (DNNL_ARG_VARIANCE, variance, .read),
        (DNNL_ARG_SCALE, scale, .read), (DNNL_ARG_SHIFT, shift, .read), (DNNL_ARG_DST, y, .write),
      ])
    plan.values[node.index] = y
  }
}
