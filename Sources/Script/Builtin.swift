/// A function that Swift code gives to the language, declared once.
///
/// Help, completion, checks, the reference and a test of every example derive from this value.
public struct Builtin: Sendable {
  public typealias Body = @Sendable (Arguments) throws -> Value

  public let name: String
  /// One sentence.
  public let doc: String
  public let parameters: [Parameter]
  public let result: ValueType
  public let examples: [Example]
  /// The chapter of the reference it stands in.
  public let chapter: String
  /// Whether it prints what it gives, so that the prompt need not show it again.
  public let printsResult: Bool
  let body: Body
  /// Where the parameter is whose record stands for arguments.
  let bundlePlace: Int?
  /// Whether some parameters have an effect only where others allow it.
  let hasConditions: Bool

  /// Declares a builtin.
  ///
  /// The body may throw any error; one that is not a `ScriptError` is kept as `ScriptError.domain`, at the call.
  public init(
    _ name: String, _ doc: String, parameters: [Parameter] = [], result: ValueType, examples: [Example] = [],
    chapter: String = "", printsResult: Bool = false, body: @escaping Body
  ) {
    precondition(parameters.count(where: \.isVariadic) <= 1, "'\(name)' has two variadic parameters")
    (self.name, self.doc, self.parameters, self.result) = (name, doc, parameters, result)
    (self.examples, self.chapter, self.printsResult, self.body) = (examples, chapter, printsResult, body)
    bundlePlace = parameters.firstIndex { $0.bundle != nil }
    hasConditions = parameters.contains { $0.condition != nil }
    for decider in parameters.compactMap(\.condition).flatMap(\.deciders) {
      precondition(parameters.contains { $0.label == decider }, "'\(name)' has a condition on '\(decider)', which it does not take")
    }
  }

  /// How it is called: `train(model, data, epochs: 8)` as the help shows it.
  public var signature: String {
    let list = parameters.map { parameter in
      let name = parameter.isVariadic ? "\(parameter.label)…" : parameter.label
      if let value = parameter.default { return "\(name): \(value.literal)" }
      return parameter.isOptional ? "\(name)?" : name
    }
    return "\(name)(\(list.joined(separator: ", ")))"
  }

  /// The parameter that a field of a record stands for; nil where there is none.
  func bundled(_ field: String) -> Int? { parameters.firstIndex { $0.isLabelled && $0.label == field } }

  /// What the fields of such a record may be called.
  var bundleLabels: Labels { Labels(required: [], optional: parameters.filter(\.isLabelled).map(\.label)) }

  /// How many arguments may come without a label.
  var positionalLimit: Int {
    if parameters.contains(where: \.isVariadic) { return .max }
    return parameters.prefix { !$0.isLabelled }.count
  }
}

/// What a builtin takes.
public struct Parameter: Sendable {
  public let label: String
  public let type: ValueType
  public let doc: String
  /// The value where none is given.
  public let `default`: Value?
  /// Whether it may be left out without having a default.
  public let isOptional: Bool
  /// Takes all further arguments without a label.
  public let isVariadic: Bool
  /// Must be given by its name.
  public let isLabelled: Bool
  /// The numbers that are allowed.
  public let allowed: ClosedRange<Double>?
  /// Whether numbers that were measured keep what they were measured on; else a builtin gets plain numbers.
  public let keepsOrigin: Bool
  /// Of a record whose fields stand for labelled arguments that the call leaves out; nil for all other parameters.
  public let bundle: ArgumentBundle?
  /// What other arguments must be for this one to have an effect; nil where it always has one.
  public let condition: Condition?
  /// The value that asks for nothing, such as 0 of a mixing coefficient. It is no error where the condition does not hold.
  public let neutral: Value?

  /// Declares a parameter. Those behind a variadic one are labelled.
  public init(
    _ label: String, _ type: ValueType, _ doc: String = "", default: Value? = nil, optional: Bool = false,
    variadic: Bool = false, labelled: Bool = false, allowed: ClosedRange<Double>? = nil, keepsOrigin: Bool = false, bundle: ArgumentBundle? = nil,
    condition: Condition? = nil, neutral: Value? = nil
  ) {
    (self.label, self.type, self.doc, self.default) = (label, type, doc, `default`)
    (isOptional, isVariadic, isLabelled, self.allowed) = (optional, variadic, labelled, allowed)
    (self.keepsOrigin, self.bundle, self.condition, self.neutral) = (keepsOrigin, bundle, condition, neutral)
  }

  /// The same parameter as another builtin takes it, with a description, a default and a range of its own.
  public func with(_ doc: String? = nil, default value: Value? = nil, allowed: ClosedRange<Double>? = nil) -> Parameter {
    Parameter(
      label, type, doc ?? self.doc, default: value ?? self.default, optional: isOptional, variadic: isVariadic,
      labelled: isLabelled, allowed: allowed ?? self.allowed, keepsOrigin: keepsOrigin, bundle: bundle,
      condition: condition, neutral: neutral)
  }

  /// What the builtin gets of a value that fits.
  func taken(_ value: Value) -> Value { !keepsOrigin && type.holdsNumbers ? value.plain : value }

  /// Whether a call may leave it out.
  public var mayBeOmitted: Bool { isOptional || isVariadic || `default` != nil }
}

/// How a record gives several arguments at once, as `train(net, data, recipe)` takes them. What the call says itself wins.
public struct ArgumentBundle: Sendable {
  /// Fields that are no arguments and are passed over; any other that is none is an error.
  public let ignoring: Set<String>
  public init(ignoring: Set<String> = []) { self.ignoring = ignoring }
}

/// Lines to try, with what the last one gives. A test runs every example.
public struct Example: Sendable {
  public let code: String
  /// What the prompt shows for it; nil where it is not the same everywhere.
  public let gives: String?
  public init(_ code: String, gives: String? = nil) { (self.code, self.gives) = (code, gives) }

  /// The lines of its code.
  var lines: [Substring] { code.split(separator: "\n") }
}

/// A name that stands for a value from the beginning, such as `pi`.
public struct Constant: Sendable {
  public let name, doc: String
  public let type: ValueType
  public let value: Value
  public init(_ name: String, _ doc: String, type: ValueType, value: Value) {
    (self.name, self.doc, self.type, self.value) = (name, doc, type, value)
  }
}
