internal import CDNNL
internal import Networks
internal import Tensors

extension Add {
  func build(_ node: Network.Node, in plan: inout PlanBuilder) throws(EngineError) {
    let inputs = plan.network[node].inputs
    let a = plan.value(of: inputs[0])
    let b = try plan.converted(plan.value(of: inputs[1]), to: a.layout, for: node)
    plan.values[node.index] = plan.add(a, b, "add", for: node)
    plan.backward.append { plan in
      guard let dy = try plan.gradient(of: node) else { return }
      for input in inputs where plan.needsGradient[input.index] { plan.contribute(dy, to: input) }
    }
  }
}

extension Concatenation {
  func build(_ node: Network.Node, in plan: inout PlanBuilder) throws(EngineError) {
    let inputs = plan.network[node].inputs
    let device = plan.engine.device
    var sources = inputs.map { plan.value(of: $0) }
    let type = sources[0].layout.type
    var layout = try Layout.plain(plan.extents(of: node), type)
    for i in sources.indices { sources[i] = try plan.converted(sources[i], to: sources[i].layout.holding(type), for: node) }
    let descriptors = sources.map(\.layout.descriptor)
    var handle: dnnl_primitive_desc_t?
    let attributes = try Attributes()
    try check(
      dnnl_concat_primitive_desc_create(
        &handle, &layout.descriptor, Int32(sources.count), 1, descriptors, attributes.handle, device.engine),
      "dnnl_concat_primitive_desc_create", plan.network[node].name)
    let y = plan.newValue(layout)
    try plan.emit(
      PrimitiveDescriptor(adopting: handle!), node, "concatenation",
      sources.enumerated().map { (DNNL_ARG_MULTIPLE_SRC + Int32($0), $1, .read) } + [(DNNL_ARG_DST, y, .write)])
    plan.values[node.index] = y

    plan.backward.append { plan in
      guard let dy = try plan.gradient(of: node) else { return }
      var channel = 0
      for input in inputs {
        let extents = plan.extents(of: input)
        var offsets = [Int](repeating: 0, count: extents.count)
        offsets[1] = channel
        channel += extents[1]
        guard plan.needsGradient[input.index] else { continue }
        let part = Value(buffer: dy.buffer, layout: try dy.layout.part(extents, at: offsets))
        let dx = plan.newValue(try .plain(extents, type))
        try plan.reorder(part, into: dx, for: node)
        plan.contribute(dx, to: input)
      }
    }
  }
}
