/// An argument of a call whose function is known only when it runs.
struct GivenArgument {
  let label: String?
  let value: Value
  let labelSpan: Span?
  let span: Span
}

/// Which parameter an argument is for. The checker and the machine ask the same rules.
struct ArgumentPlan {
  struct Slot {
    let name: String
    let mayBeOmitted: Bool
    let isVariadic: Bool
    let isLabelled: Bool
    init(_ name: String, mayBeOmitted: Bool, isVariadic: Bool = false, isLabelled: Bool = false) {
      (self.name, self.mayBeOmitted) = (name, mayBeOmitted)
      (self.isVariadic, self.isLabelled) = (isVariadic, isLabelled)
    }
  }
  let function: String
  let slots: [Slot]

  init(_ function: String, _ slots: [Slot]) { (self.function, self.slots) = (function, slots) }

  init(_ builtin: Builtin) {
    var behindVariadic = false
    var slots: [Slot] = []
    for parameter in builtin.parameters {
      slots.append(
        Slot(
          parameter.label, mayBeOmitted: parameter.mayBeOmitted, isVariadic: parameter.isVariadic,
          isLabelled: parameter.isLabelled || behindVariadic))
      behindVariadic = behindVariadic || parameter.isVariadic
    }
    self.init(builtin.name, slots)
  }

  /// The names of all parameters.
  var labels: Labels {
    Labels(
      required: slots.filter { !$0.mayBeOmitted }.map(\.name), optional: slots.filter(\.mayBeOmitted).map(\.name))
  }

  /// The parameter of the argument at a position of the call.
  func place(
    of index: Int, label: String?, labelSpan: Span?, at span: @autoclosure () -> Span
  ) throws(ScriptError) -> Int {
    if let label {
      guard let place = slots.firstIndex(where: { $0.name == label }) else {
        throw .unknownLabel(
          label, of: function, at: labelSpan ?? span(), near: Spelling.nearest(to: label, in: slots.map(\.name)),
          labels: labels)
      }
      return place
    }
    if let variadic = slots.firstIndex(where: \.isVariadic), index >= variadic { return variadic }
    guard index < slots.count else { throw .extraArgument(of: function, allowed: slots.count, at: span()) }
    guard !slots[index].isLabelled else { throw .labelNeeded(slots[index].name, of: function, at: span()) }
    return index
  }
}
