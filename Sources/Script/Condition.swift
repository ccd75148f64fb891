/// What other arguments of a call must be for one of them to have an effect.
public enum Condition: Hashable, Sendable {
  /// Another parameter has one of these words: `momentum` is for `optimizer: "sgd"` and some others.
  case words(of: String, [String])
  /// At least one of these is above 0.
  case anyPositive([String])
  /// All of these are above 0.
  case allPositive([String])
  /// Another one is given.
  case given(String)

  /// The parameters that it depends on.
  public var deciders: [String] {
    switch self {
    case .words(of: let label, _), .given(let label): [label]
    case .anyPositive(let labels), .allPositive(let labels): labels
    }
  }

  /// Whether it holds.
  /// - Parameter value: The value of each decider; `none` for one that is left out and has no default.
  public func holds(_ value: (String) -> Value) -> Bool {
    func isPositive(_ label: String) -> Bool { value(label).asNumber.map { $0 > 0 } ?? false }
    switch self {
    case .words(of: let label, let words):
      guard case .string(let word) = value(label) else { return false }
      return words.contains(word)
    case .anyPositive(let labels): return labels.contains(where: isPositive)
    case .allPositive(let labels): return labels.allSatisfy(isPositive)
    case .given(let label):
      if case .none = value(label) { return false }
      return true
    }
  }

  /// When it holds, in words: `optimizer: "lars"`, `mixup or cutmix above 0`.
  public var text: String {
    switch self {
    case .words(of: let label, let words): "\(label): \(Self.list(words.map { "\"\($0)\"" }, "or"))"
    case .anyPositive(let labels): "\(Self.list(labels, "or")) above 0"
    case .allPositive(let labels): "\(Self.list(labels, "and")) above 0"
    case .given(let label): "a \(label)"
    }
  }

  /// What is wrong with arguments for which it does not hold.
  /// - Parameter found: The deciders as the call has them.
  func problem(with labels: [String], found: String) -> String {
    let verb = labels.count == 1 ? "has" : "have"
    return "\(Self.list(labels.map { "'\($0)'" }, "and")) \(verb) no effect with \(found)"
  }

  /// How to go on.
  func hint(for labels: [String]) -> String {
    labels.count == 1
      ? "for \(text); \(labels[0]): none leaves it out"
      : "\(labels.map { "\($0): none" }.joined(separator: ", ")) leaves them out"
  }

  /// The deciders as a call could have them: `optimizer: "adam"`.
  func found(_ value: (String) -> Value) -> String {
    Self.list(deciders.map { "\($0): \(value($0).literal)" }, "and")
  }

  /// `a, b and c`.
  static func list(_ words: [String], _ conjunction: String) -> String {
    guard words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " \(conjunction) " + words[words.count - 1]
  }
}

/// What is known of the argument for a parameter.
enum KnownArgument {
  /// The call gives it.
  case given(Value)
  /// A record that stands for arguments gives it.
  case inRecord(Value)
  /// Nobody gives it: its default, or `none`.
  case standard(Value)
  /// Known only when the call runs.
  case unknown

  var value: Value? {
    switch self {
    case .given(let value), .inRecord(let value), .standard(let value): value
    case .unknown: nil
    }
  }

  var isGiven: Bool { if case .given(let value) = self { value != Value.none } else { false } }
}

/// Arguments that have no effect, for one reason.
struct Inapplicable {
  /// Of their parameters.
  var places: [Int]
  let condition: Condition
  let found: String
}

extension Builtin {
  /// The first arguments whose condition does not hold, as far as is known; nil where there are none.
  ///
  /// One that asks for nothing is passed over. So is a field of a record where the call itself replaces what decides: with
  /// `train(net, data, recipe, optimizer: "adam")` the recipe's momentum goes with its optimizer.
  func inapplicable(_ arguments: [KnownArgument]) -> Inapplicable? {
    let places = Dictionary(parameters.enumerated().map { ($1.label, $0) }) { first, _ in first }
    var first: Inapplicable?
    for (place, parameter) in parameters.enumerated() {
      guard let condition = parameter.condition, first.map({ $0.condition.deciders == condition.deciders }) ?? true else { continue }
      let deciders = condition.deciders.compactMap { places[$0] }
      switch arguments[place] {
      case .unknown, .standard: continue
      case .inRecord where deciders.contains { arguments[$0].isGiven }: continue
      case .given(let value), .inRecord(let value):
        if value == Value.none || value == parameter.neutral { continue }
      }
      var values: [String: Value] = [:]
      for decider in deciders { values[parameters[decider].label] = value(of: parameters[decider], arguments[decider]) }
      guard values.count == deciders.count, !condition.holds({ values[$0] ?? Value.none }) else { continue }
      if first == nil {
        first = Inapplicable(places: [], condition: condition, found: condition.found { values[$0] ?? Value.none })
      }
      first?.places.append(place)
    }
    return first
  }

  /// What a decider is, `none` given for it standing for its default; nil where that is not known.
  private func value(of parameter: Parameter, _ argument: KnownArgument) -> Value? {
    guard let value = argument.value else { return nil }
    return value == Value.none ? parameter.default ?? Value.none : value
  }

  func error(_ found: Inapplicable, at span: Span) -> ScriptError {
    .inapplicable(found.places.map { parameters[$0].label }, found.condition, found: found.found, at: span)
  }
}
