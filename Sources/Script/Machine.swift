import Foundation

/// What runs: the global values, the calls that are open, and the ways out.
///
/// Owned by one session and used by one thread at a time.
final class Machine {
  let library: Library
  let output: any ScriptOutput
  let interruption: Interruption
  let host: (any Sendable)?
  let workingDirectory: WorkingDirectory
  let environment: [String: String]

  /// The script that runs, or what was typed at the prompt.
  var program = Source("", name: "")
  /// The texts of the scripts that were used, by the names they were read under.
  var usedTexts: [String: String] = [:]

  private(set) var globals: UnsafeMutablePointer<Value?>
  private var capacity: Int
  private(set) var globalCount = 0

  /// How many calls are open.
  var depth = 0
  /// The lowest address the stack may grow down to.
  var stackFloor: UInt = 0
  /// The calls an error came through, innermost first.
  var trace: [CallSite] = []

  static let deepestCall = 10_000
  /// What may be in use already, and what builtins may need below the deepest call. Bytes.
  private static let stackReserve: UInt = 2 << 20

  init(
    library: Library, output: any ScriptOutput, interruption: Interruption, host: (any Sendable)?,
    workingDirectory: WorkingDirectory, environment: [String: String]
  ) {
    (self.library, self.output, self.interruption, self.host) = (library, output, interruption, host)
    (self.workingDirectory, self.environment) = (workingDirectory, environment)
    capacity = 64
    globals = .allocate(capacity: capacity)
  }

  deinit {
    globals.deinitialize(count: globalCount)
    globals.deallocate()
  }

  /// Makes room for one more global value.
  func addGlobal() -> Int {
    if globalCount == capacity {
      let larger = UnsafeMutablePointer<Value?>.allocate(capacity: capacity * 2)
      larger.moveInitialize(from: globals, count: globalCount)
      globals.deallocate()
      globals = larger
      capacity *= 2
    }
    (globals + globalCount).initialize(to: nil)
    globalCount += 1
    return globalCount - 1
  }

  /// Learns how far down the stack of the calling thread may grow.
  func measureStack() {
    var marker: UInt8 = 0
    let here = withUnsafeMutablePointer(to: &marker) { UInt(bitPattern: $0) }
    let size = UInt(max(Thread.current.stackSize, 512 << 10))
    stackFloor = here - size + min(Self.stackReserve, size / 2)
  }

  @inline(__always)
  func checkInterruption(at span: Span) throws(ScriptError) {
    if interruption.isRaised { throw .interrupted(at: span) }
  }

  // MARK: Calls

  /// Runs a function of the script in a frame that holds its arguments.
  func run(_ code: FunctionCode, _ frame: Frame, at span: Span) throws(ScriptError) -> Value {
    depth += 1
    defer { depth -= 1 }
    var marker: UInt8 = 0
    let address = withUnsafeMutablePointer(to: &marker) { UInt(bitPattern: $0) }
    if depth > Self.deepestCall || address < stackFloor {
      throw .endlessRecursion(depth: depth, at: span)
    }
    try checkInterruption(at: span)
    do throws(ScriptError) {
      try complete(frame, of: code, at: span)
      guard let body = code.body else { preconditionFailure("a function has a body when it runs") }
      return try body.evaluate(frame)
    } catch {
      trace.append(CallSite(function: code.name, at: span))
      throw error
    }
  }

  /// Fills in defaults, in their order. A function of its own: what it needs would lie on the stack of each call.
  @inline(never)
  private func complete(_ frame: Frame, of code: FunctionCode, at span: Span) throws(ScriptError) {
    for (index, parameter) in code.parameters.enumerated() {
      if frame.slots[index] == nil {
        guard let value = parameter.default else {
          throw ScriptError.missingArgument(parameter.name, of: code.name, at: span)
        }
        frame.slots[index] = try value.evaluate(frame)
      }
      if let cell = parameter.cell { frame.cells[cell].pointer.pointee = frame.slots[index].take() }
    }
  }

  /// Calls a function with values that come from Swift code.
  func call(_ function: Function, _ arguments: [Value], at span: Span) throws(ScriptError) -> Value {
    switch function.kind {
    case .script(let code, let surroundings):
      guard arguments.count <= code.parameters.count else {
        throw .extraArgument(of: code.name, allowed: code.parameters.count, at: span)
      }
      let frame = Frame(self, code, surroundings)
      for (index, argument) in arguments.enumerated() { frame.slots[index] = argument }
      return try run(code, frame, at: span)
    case .builtin(let builtin):
      let given = arguments.map { GivenArgument(label: nil, value: $0, span: span) }
      return try call(builtin, given, at: span)
    }
  }

  /// Calls a function with the arguments as they were written, where it was not known before which one it would be.
  func call(_ function: Function, _ given: [GivenArgument], at span: Span) throws(ScriptError) -> Value {
    switch function.kind {
    case .builtin(let builtin): return try call(builtin, given, at: span)
    case .script(let code, let surroundings):
      let frame = Frame(self, code, surroundings)
      let plan = ArgumentPlan(code.name, code.parameters.map { .init($0.name, mayBeOmitted: $0.default != nil) })
      for (index, argument) in try plan.placed(given).own.enumerated() { frame.slots[index] = argument?.value }
      return try run(code, frame, at: span)
    }
  }

  private func call(_ builtin: Builtin, _ given: [GivenArgument], at span: Span) throws(ScriptError) -> Value {
    let placed = try ArgumentPlan(builtin).placed(given)
    let spans = ArgumentSpans(call: span, places: placed.own.map { $0?.span }, variadic: placed.rest.map(\.span))
    return try call(builtin, placed.own.map { $0?.value }, placed.rest.map(\.value), spans)
  }

  /// Calls a builtin whose arguments are in place: fills in defaults, checks types, and keeps foreign errors.
  func call(
    _ builtin: Builtin, _ given: [Value?], _ variadic: [Value], _ spans: ArgumentSpans
  ) throws(ScriptError) -> Value {
    var (values, variadic, spans) = (given, variadic, spans)
    try unpackBundle(of: builtin, into: &values, &spans)
    let written = values
    for (index, parameter) in builtin.parameters.enumerated() {
      if parameter.isVariadic {
        for (place, value) in variadic.enumerated() {
          try check(value, parameter, at: spans.rest(place))
          variadic[place] = parameter.taken(value)
        }
      } else if let value = values[index] {
        if case .none = value, parameter.mayBeOmitted {
          // Where any value may be given, none is one of them.
          if parameter.type != .any || parameter.default != nil { values[index] = parameter.default }
          continue
        }
        try check(value, parameter, at: spans[index])
        values[index] = parameter.taken(value)
      } else if let value = parameter.default {
        values[index] = value
      } else if !parameter.isOptional {
        throw .missingArgument(parameter.label, of: builtin.name, at: spans.call)
      }
    }
    if builtin.hasConditions {
      let known = builtin.parameters.indices.map { index -> KnownArgument in
        if let value = given[index] { return .given(value) }
        return written[index].map(KnownArgument.inRecord) ?? .standard(values[index] ?? .none)
      }
      if let found = builtin.inapplicable(known) { throw builtin.error(found, at: spans[found.places[0]]) }
    }
    try checkInterruption(at: spans.call)
    depth += 1
    defer { depth -= 1 }
    let context = CallContext(machine: self, span: spans.call)
    let arguments = Arguments(context: context, builtin: builtin, values: values, variadic: variadic, spans: spans)
    do {
      let value = try builtin.body(arguments)
      if !trace.isEmpty { trace.removeAll() }  // an error that the builtin dealt with
      if value.extent != .one { try value.extent.check(at: spans.call) }
      return value
    } catch let error as ScriptError {
      throw error
    } catch is CancellationError {
      throw .interrupted(at: spans.call)
    } catch let error as any ExplainedError where error.isInterruption {
      throw .interrupted(at: spans.call)
    } catch {
      throw .domain(DomainFailure(error), at: spans.call)
    }
  }

  /// Puts the fields of a record that stands for arguments where the call gives none.
  private func unpackBundle(
    of builtin: Builtin, into values: inout [Value?], _ spans: inout ArgumentSpans
  ) throws(ScriptError) {
    guard let place = builtin.bundlePlace, case .record(let record)? = values[place],
      let bundle = builtin.parameters[place].bundle
    else { return }
    for (name, value) in record.fields where !bundle.ignoring.contains(name) {
      guard let index = builtin.bundled(name) else {
        throw .unknownLabel(
          name, of: builtin.name, at: spans[place], near: Spelling.nearest(to: name, in: builtin.bundleLabels.optional),
          labels: builtin.bundleLabels)
      }
      guard values[index] == nil else { continue }
      values[index] = value
      spans.places[index] = spans[place]
    }
  }

  private func check(_ value: Value, _ parameter: Parameter, at span: @autoclosure () -> Span) throws(ScriptError) {
    guard parameter.type.accepts(value) else { throw Self.mismatch(value, parameter, at: span()) }
    if let allowed = parameter.allowed, let number = value.asNumber, !allowed.contains(number) {
      throw .outOfRange(parameter.label, number, allowed: allowed, at: span())
    }
  }

  static func mismatch(_ value: Value, _ parameter: Parameter, at span: Span) -> ScriptError {
    if case .oneOf(let choices) = parameter.type.unwrapped, case .string(let string) = value {
      return .wrongChoice(
        string, what: parameter.label, allowed: choices, at: span, near: Spelling.nearest(to: string, in: choices))
    }
    if case .list(of: let element) = parameter.type.unwrapped, case .list(let list) = value,
      case .string(let string)? = list.elements.first(where: { !element.accepts($0) }), !element.words.isEmpty
    {
      return .wrongChoice(
        string, what: parameter.label, allowed: element.words, at: span,
        near: Spelling.nearest(to: string, in: element.words))
    }
    if parameter.type.unwrapped == .integer, let number = value.asNumber {
      return .notWhole(number, what: parameter.label, at: span)
    }
    return .wrongType(what: parameter.label, expected: parameter.type, found: value.typeName, at: span)
  }
}
