/// A call of a builtin that was known before: each argument already has its parameter.
final class BuiltinCallCode: Code, @unchecked Sendable {
  let builtin: Builtin
  let arguments: [Code?]
  let variadic: [Code]
  let spans: ArgumentSpans
  init(_ builtin: Builtin, _ arguments: [Code?], _ variadic: [Code], _ spans: ArgumentSpans) {
    (self.builtin, self.arguments, self.variadic, self.spans) = (builtin, arguments, variadic, spans)
    super.init(spans.call)
  }
  override var printsResult: Bool { builtin.printsResult }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    var values: [Value?] = []
    values.reserveCapacity(arguments.count)
    for argument in arguments { values.append(try argument?.evaluate(frame)) }
    let rest = try variadic.evaluate(frame)
    try frame.machine.checkInterruption(at: span)
    return try frame.machine.call(builtin, values, rest, spans)
  }
}

struct ArgumentCode: WrittenArgument {
  let label: Name?
  let value: Code
  var span: Span { value.span }
}

/// A call of whatever the callee turns out to be.
final class CallCode: Code, @unchecked Sendable {
  let callee: Code
  let arguments: [ArgumentCode]
  /// The built-in function that the callee's name would mean without the script's own value.
  let shadows: String?
  private let isPlain: Bool
  init(_ callee: Code, _ arguments: [ArgumentCode], shadows: String? = nil, _ span: Span) {
    (self.callee, self.arguments, self.shadows) = (callee, arguments, shadows)
    isPlain = arguments.allSatisfy { $0.label == nil }
    super.init(span)
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    let value = try callee.evaluate(frame)
    guard case .function(let function) = value else {
      throw .notCallable(value.typeName, shadows: shadows, at: callee.span)
    }
    return try call(function, frame)
  }

  private func call(_ function: Function, _ frame: Frame) throws(ScriptError) -> Value {
    let machine = frame.machine
    if isPlain, case .script(let code, let surroundings) = function.kind, arguments.count <= code.parameters.count {
      let inner = Frame(machine, code, surroundings)
      for index in arguments.indices { inner.slots[index] = try arguments[index].value.evaluate(frame) }
      return try machine.run(code, inner, at: span)
    }
    return try callByLabels(function, frame)
  }

  @inline(never)
  private func callByLabels(_ function: Function, _ frame: Frame) throws(ScriptError) -> Value {
    var given: [GivenArgument] = []
    for argument in arguments {
      given.append(GivenArgument(label: argument.label, value: try argument.value.evaluate(frame), span: argument.span))
    }
    return try frame.machine.call(function, given, at: span)
  }
}

/// `x.f(a)`: the function in the field `f`, or `f(x, a)` where there is no such field.
///
/// There `f` means a function: a variable of the script that holds something else does not hide the built-in.
final class MethodCallCode: Code, @unchecked Sendable {
  let receiver: Code
  /// Where the receiver waits to be taken as the first argument.
  let slot: Int
  let name: Name
  let arguments: [ArgumentCode]
  /// The script's variable of this name, and the call of it.
  let own: (variable: Code, call: Code)?
  /// The call of the built-in of this name, or what is wrong with it.
  let builtin: Result<Code, ScriptError>?
  /// All that could have been meant.
  let candidates: @Sendable () -> [String]
  init(
    _ receiver: Code, slot: Int, _ name: Name, _ arguments: [ArgumentCode], own: (variable: Code, call: Code)?,
    builtin: Result<Code, ScriptError>?, candidates: @escaping @Sendable () -> [String], _ span: Span
  ) {
    (self.receiver, self.slot, self.name, self.arguments) = (receiver, slot, name, arguments)
    (self.own, self.builtin, self.candidates) = (own, builtin, candidates)
    super.init(span)
  }
  override var printsResult: Bool {
    if own == nil, case .success(let call)? = builtin { call.printsResult } else { false }
  }
  override func evaluate(_ frame: Frame) throws(ScriptError) -> Value {
    let value = try receiver.evaluate(frame)
    if let field = try Operators.field(name.text, of: value, at: name.span) {
      return try CallCode(ConstantCode(field, name.span), arguments, span).evaluate(frame)
    }
    let call = try call(frame, on: value)
    frame.slots[slot] = value
    return try call.evaluate(frame)
  }

  private func call(_ frame: Frame, on value: Value) throws(ScriptError) -> Code {
    if let own {
      guard let builtin else { return own.call }
      if case .function? = try? own.variable.evaluate(frame) { return own.call }
      return try builtin.get()
    }
    if let builtin { return try builtin.get() }
    throw .unknownField(
      name.text, of: value.typeName, at: name.span,
      near: Spelling.nearest(to: name.text, in: Operators.fieldNames(of: value) + candidates()))
  }
}
