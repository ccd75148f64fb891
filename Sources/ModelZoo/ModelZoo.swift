public import Networks
public import Tensors

/// The networks that can be asked for by name.
public enum ModelZoo {
  /// The catalogue, in the order it is shown.
  public static let all: [ZooEntry] = resnets + resnet50Variants + smallResNets + [mobileNetV1] + vggs + [beitB16]

  /// The network of a name, spelled as in the catalogue.
  public static func entry(named name: String) -> ZooEntry? { all.first { $0.name == name } }
}

/// A network of the zoo, with all that a prompt or a reference page tells of it.
public struct ZooEntry: Sendable {
  /// As scripts write it: `resnet50`.
  public let name: String
  /// One sentence.
  public let documentation: String
  public let source: String
  public let options: [ZooOption]
  /// The image of its paper.
  public let input: Shape
  /// The classes of its paper.
  public let classes: Int
  private let build: @Sendable (ZooOptions, Shape, Int) throws(ShapeError) -> Network

  init(
    _ name: String, _ documentation: String, source: String, options: [ZooOption], input: Shape, classes: Int,
    build: @escaping @Sendable (ZooOptions, Shape, Int) throws(ShapeError) -> Network
  ) {
    (self.name, self.documentation, self.source, self.options) = (name, documentation, source, options)
    (self.input, self.classes, self.build) = (input, classes, build)
  }

  /// Builds the network; options that are not given take their defaults.
  /// - Throws: `ShapeError` where the input does not fit, or an option is unknown, of another kind or out of range.
  public func make(
    input: Shape, classes: Int, options given: [String: ZooValue] = [:]
  ) throws(ShapeError) -> Network {
    guard classes > 0 else { throw ShapeError("\(name) needs at least one class, not \(classes)") }
    for name in given.keys.sorted() where !options.contains(where: { $0.name == name }) {
      let known = options.isEmpty ? "none" : options.map(\.name).joined(separator: ", ")
      throw ShapeError("\(self.name) has no option '\(name)'; it has \(known)")
    }
    var values = [String: ZooValue]()
    for option in options {
      let value = given[option.name] ?? option.standard
      guard option.allows(value) else { throw ShapeError("'\(option.name)' takes \(option.expectation), not \(value)") }
      values[option.name] = value
    }
    return try build(ZooOptions(values: values), input, classes)
  }
}

/// What may be asked of a network of the zoo.
public struct ZooOption: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    case number(ClosedRange<Double>)
    case count(ClosedRange<Int>)
    case flag
    case choice([String])
  }
  public let name: String
  /// One sentence.
  public let documentation: String
  public let kind: Kind
  /// What it is unless asked for.
  public let standard: ZooValue

  init(_ name: String, _ documentation: String, _ kind: Kind, standard: ZooValue) {
    (self.name, self.documentation, self.kind, self.standard) = (name, documentation, kind, standard)
  }

  public func allows(_ value: ZooValue) -> Bool {
    switch (kind, value) {
    case (.number(let range), .number(let number)): range.contains(number)
    case (.count(let range), .number(let number)): Int(exactly: number).map(range.contains) ?? false
    case (.flag, .flag): true
    case (.choice(let choices), .choice(let choice)): choices.contains(choice)
    default: false
    }
  }

  /// What it takes, in words.
  public var expectation: String {
    switch kind {
    case .number(let range): "a number from \(range.lowerBound) to \(range.upperBound)"
    case .count(let range): "an integer from \(range.lowerBound) to \(range.upperBound)"
    case .flag: "true or false"
    case .choice(let choices): choices.map { "\"\($0)\"" }.joined(separator: " or ")
    }
  }
}

public enum ZooValue: Hashable, Sendable, CustomStringConvertible {
  case number(Double)
  case flag(Bool)
  case choice(String)

  public var description: String {
    switch self {
    case .number(let number): "\(number)"
    case .flag(let flag): "\(flag)"
    case .choice(let choice): "\"\(choice)\""
    }
  }
}

/// The values of an entry's options; each is there, and of its kind.
struct ZooOptions {
  let values: [String: ZooValue]

  func number(_ name: String) -> Double {
    guard case .number(let number)? = values[name] else { preconditionFailure("'\(name)' is no number") }
    return number
  }
  func flag(_ name: String) -> Bool {
    guard case .flag(let flag)? = values[name] else { preconditionFailure("'\(name)' is no flag") }
    return flag
  }
  func choice(_ name: String) -> String {
    guard case .choice(let choice)? = values[name] else { preconditionFailure("'\(name)' is no choice") }
    return choice
  }
}
