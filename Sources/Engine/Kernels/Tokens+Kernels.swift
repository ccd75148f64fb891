internal import CDNNL
internal import CKernels
internal import Networks
internal import Tensors

extension PlanBuilder {
  /// A parameter in plain layout.
  mutating func newPlainParameter(_ node: Network.Node, _ index: Int) throws(EngineError) -> Int {
    let extents = network.parameters(of: node)[index].rule.shape.extents
    return newParameter(node, index, extents: extents, try .plain(extents))
  }
}

extension Tokens {
  func build(_ node: Network.Node, in plan: inout PlanBuilder) throws(EngineError) {
    let source = plan.network[node].inputs[0]
    let shape = plan.network.shape(of: source)
    let y = plan.newValue(try .plain(plan.extents(of: node)))
    plan.values[node.index] = y
    // The tokens after the first, seen as an image.
    let image = try y.layout.image(shape, skipping: 1)
    try plan.reorder(plan.value(of: source), into: Value(buffer: y.buffer, layout: image), for: node)

    let parameter = try plan.newPlainParameter(node, 0)
    let token = plan.value(ofParameter: parameter)
    let (batch, count, features) = (Int64(plan.batch), Int64(y.layout.extents[1]), Int64(shape[0]))
    plan.emit(kernel: "copy", node, "class token", reads: [token.buffer, y.buffer], writes: [y.buffer]) { addresses in
      let (token, y) = (addresses.floats(token.buffer), addresses.floats(y.buffer))
      return { rk_class_token(token, y, batch, count, features) }
    }

    plan.backward.append { plan in
      guard let dy = try plan.gradient(of: node) else { return }
      let gradient = plan.value(ofGradient: parameter)
      plan.emit(
        kernel: "sum", node, "class token gradient", reads: [dy.buffer], writes: [gradient.buffer]
      ) { addresses in
        let (dy, gradient) = (addresses.floats(dy.buffer), addresses.floats(gradient.buffer))
        return { rk_class_token_backward(dy, gradient, batch, count, features) }
      }
      guard plan.needsGradient[source.index] else { return }
      let dx = plan.newValue(try .plain(plan.extents(of: source)))
      try plan.reorder(Value(buffer: dy.buffer, layout: image), into: dx, for: node)
      plan.contribute(dx, to: source)
    }
  }
}

extension Layout {
  /// Tokens `N T C` after the first few, seen as images `N C H W`.
  fileprivate func image(_ shape: Shape, skipping count: Int) throws(EngineError) -> Layout {
    let (tokens, channels) = (extents[1], extents[2])
    var image = dnnl_memory_desc_t()
    try check(
      dnnl_memory_desc_init_by_strides(
        &image, 4, ([extents[0]] + shape.extents).map(Int64.init), dnnl_f32,
        [tokens * channels, 1, shape[2] * channels, channels].map(Int64.init)),
      "dnnl_memory_desc_init_by_strides")
    image.offset0 = Int64(count * channels)
    return Layout(image)
  }
}

extension TokenMean {
  func build(_ node: Network.Node, in plan: inout PlanBuilder) throws(EngineError) {
    let source = plan.network[node].inputs[0]
    let plain = try Layout.plain(plan.extents(of: source))
    let x = try plan.converted(plan.value(of: source), to: plain, for: node)
    let y = plan.newValue(try .plain(plan.extents(of: node)))
    plan.values[node.index] = y
    let (batch, count, features) = (Int64(plan.batch), Int64(plain.extents[1]), Int64(plain.extents[2]))
    plan.emit(kernel: "stripes", node, "token mean", reads: [x.buffer], writes: [y.buffer]) { addresses in
      let (x, y) = (addresses.floats(x.buffer), addresses.floats(y.buffer))
      return { rk_token_mean(x, y, batch, count, features) }
    }
    plan.backward.append { plan in
      guard plan.needsGradient[source.index], let dy = try plan.gradient(of: node) else { return }
      let dx = plan.newValue(plain)
      plan.emit(
        kernel: "rows", node, "token mean gradient", reads: [dy.buffer], writes: [dx.buffer]
      ) { addresses in
        let (dy, dx) = (addresses.floats(dy.buffer), addresses.floats(dx.buffer))
        return { rk_token_mean_backward(dy, dx, batch, count, features) }
      }
      plan.contribute(dx, to: source)
    }
  }
}

extension LayerScale {
  func build(_ node: Network.Node, in plan: inout PlanBuilder) throws(EngineError) {
    let source = plan.network[node].inputs[0]
    let plain = try Layout.plain(plan.extents(of: node))
    let x = try plan.converted(plan.value(of: source), to: plain, for: node)
    let parameter = try plan.newPlainParameter(node, 0)
    let w = plan.value(ofParameter: parameter)
    let y = plan.newValue(plain)
    plan.values[node.index] = y
    let features = plain.extents.last!
    let (rows, columns) = (Int64(plain.elementCount / features), Int64(features))
    plan.emit(
      kernel: "rows", node, "layer scale", reads: [x.buffer, w.buffer], writes: [y.buffer],
      inPlace: [(y.buffer, x.buffer)]
    ) { addresses in
      let (x, w, y) = (addresses.floats(x.buffer), addresses.floats(w.buffer), addresses.floats(y.buffer))
      return { rk_layer_scale(x, w, y, rows, columns) }
    }
    plan.backward.append { plan in
      guard let dy = try plan.gradient(of: node) else { return }
      let (dx, dw) = (plan.newValue(plain), plan.value(ofGradient: parameter))
      plan.emit(
        kernel: "stripes", node, "layer scale gradient", reads: [x.buffer, dy.buffer, w.buffer],
        writes: [dx.buffer, dw.buffer], inPlace: [(dx.buffer, dy.buffer)]
      ) { addresses in
        let (x, dy, w) = (addresses.floats(x.buffer), addresses.floats(dy.buffer), addresses.floats(w.buffer))
        let (dx, dw) = (addresses.floats(dx.buffer), addresses.floats(dw.buffer))
        return { rk_layer_scale_backward(x, dy, w, dx, dw, rows, columns) }
      }
      if plan.needsGradient[source.index] { plan.contribute(dx, to: source) }
    }
  }
}
