/// What can be wrong with a script, before it runs and while it does.
///
/// Cases carry values and where they were written; the words are in `ScriptError+Diagnostic.swift`. Indirect, so that
/// throwing stays cheap where nothing is thrown.
public indirect enum ScriptError: Error, Hashable, Sendable {
  // The text.
  case notText(name: String, line: Int, offset: Int, byte: UInt8)
  case sourceTooLarge(name: String, byteCount: Int, limit: Int)
  case unreadable(path: String, reason: String)
  case unexpectedCharacter(Unicode.Scalar, at: Span)
  case unterminatedString(at: Span)
  case unknownEscape(String, at: Span)
  case malformedNumber(String, at: Span)

  // The grammar.
  case unexpected(found: String, expected: String, at: Span)
  /// A bracket that nothing closes.
  case unclosed(String, at: Span)
  case chainedComparison(at: Span)
  case tooDeep(limit: Int, at: Span)
  case unlabelledAfterLabelled(at: Span)

  // The check.
  case unknownName(String, at: Span, near: [String])
  case usedBeforeDefined(String, at: Span, defined: Span)
  case unknownField(String, of: String, at: Span, near: [String])
  case unknownLabel(String, of: String, at: Span, near: [String], labels: Labels)
  /// A word of an earlier release.
  case retired(String, now: String, at: Span)
  case missingArgument(String, of: String, at: Span)
  case extraArgument(of: String, allowed: Int, at: Span)
  case labelNeeded(String, of: String, at: Span)
  /// Another script that cannot be used.
  case unusable(path: String, reason: String, at: Span)
  /// Scripts that use each other: the names on the way round.
  case useCycle([String], at: Span)
  case duplicate(String, kind: String, at: Span)
  /// `what` says for whom: a parameter's name, or what stands there, such as "condition".
  case wrongType(what: String, expected: ValueType, found: String, at: Span)
  case wrongChoice(String, what: String, allowed: [String], at: Span, near: [String])
  case outOfRange(String, Double, allowed: ClosedRange<Double>, at: Span)
  case misplaced(String, allowed: String, at: Span)
  case notLiteral(String, at: Span)

  // The run.
  case noValue(String, at: Span)
  /// `shadows` is the built-in function whose name the script has given to a value.
  case notCallable(String, shadows: String?, at: Span)
  /// A list is given to names, and there are more or fewer of them than elements.
  case wrongCount(names: Int, elements: Int, at: Span)
  case wrongOperands(String, left: String, right: String?, at: Span)
  case divisionByZero(at: Span)
  case indexOutOfRange(Int, count: Int, at: Span)
  case notWhole(Double, what: String, at: Span)
  case tooLarge(String, limit: Int, at: Span)
  case endlessRecursion(depth: Int, at: Span)
  /// Arguments that have no effect beside the others of the call; `found` is what decides, as it could be written.
  case inapplicable([String], Condition, found: String, at: Span)
  /// What a script itself calls wrong, with `fail` or `assert`.
  case failed(String, hint: String?, at: Span)
  /// An error of another module, kept as it was thrown.
  case domain(DomainFailure, at: Span)
  /// Data or weights that are not here; the hint says how to get them.
  case missingData(String, hint: String?, at: Span)
  case outsideWorkingDirectory(path: String, directory: String, at: Span)
  case file(path: String, reason: String, at: Span)
  case interrupted(at: Span?)

  // The settings given from outside.
  case unknownSetting(String, near: [String])
  case wrongSetting(String, value: String, expected: String)
}

/// The arguments of a function by their names.
public struct Labels: Hashable, Sendable {
  /// Those that every call must give.
  public let required: [String]
  public let optional: [String]

  /// All of them in a line, the required ones first.
  var text: String {
    let needed = required.isEmpty ? "" : "it needs \(required.joined(separator: ", "))"
    guard !optional.isEmpty else { return needed.isEmpty ? "it takes no arguments" : needed }
    return (needed.isEmpty ? "it takes " : needed + "; it also takes ") + optional.joined(separator: ", ")
  }
}

/// An error of another module that can speak for itself.
///
/// Any error may leave a builtin; one that conforms chooses its title, its hint and its kind.
public protocol ExplainedError: Error {
  /// The problem, in one line that starts with a small letter.
  var problem: String { get }
  /// One thing that can be typed or done.
  var hint: String? { get }
  /// Whether it says that data or weights are not on this machine.
  var isMissingData: Bool { get }
  /// Whether it says that somebody wanted the work to stop, rather than that something is wrong.
  var isInterruption: Bool { get }
}

extension ExplainedError {
  public var hint: String? { nil }
  public var isMissingData: Bool { false }
  public var isInterruption: Bool { false }
}

/// An error of another module, with its type.
public struct DomainFailure: Hashable, Sendable {
  public let error: any Error

  public init(_ error: any Error) { self.error = error }

  public var problem: String { (error as? any ExplainedError)?.problem ?? "\(error)" }
  public var hint: String? { (error as? any ExplainedError)?.hint }
  public var isMissingData: Bool { (error as? any ExplainedError)?.isMissingData ?? false }

  public static func == (a: DomainFailure, b: DomainFailure) -> Bool {
    type(of: a.error) == type(of: b.error) && a.problem == b.problem
  }
  public func hash(into hasher: inout Hasher) { hasher.combine(problem) }
}

/// What kind of trouble an error is: the command line makes its exit status of it.
public enum ErrorCategory: Hashable, Sendable {
  /// The script does not parse or check.
  case script
  /// Something went wrong while it ran.
  case runtime
  /// Data or weights are not here.
  case missingData
  case interrupted
  /// A setting from outside does not fit.
  case usage
}

extension ScriptError {
  public var category: ErrorCategory {
    switch self {
    case .notText, .sourceTooLarge, .unexpectedCharacter, .unterminatedString, .unknownEscape, .malformedNumber,
      .unexpected, .unclosed, .chainedComparison, .tooDeep, .unlabelledAfterLabelled, .usedBeforeDefined, .misplaced,
      .notLiteral:
      .script
    case .unreadable: .usage
    case .unknownSetting, .wrongSetting: .usage
    case .missingData: .missingData
    case .domain(let failure, _): failure.isMissingData ? .missingData : .runtime
    case .interrupted: .interrupted
    default: .runtime
    }
  }
}

/// One call on the way to an error.
public struct CallSite: Hashable, Sendable {
  public let function: String
  public let at: Span
}

/// Why a script did not run to its end.
public struct ScriptFailure: Error, Hashable, Sendable {
  public enum Stage: Hashable, Sendable { case check, run }
  /// All that was found while checking, or the one error of a run.
  public let errors: [ScriptError]
  public let stage: Stage
  /// The calls that were open, innermost first.
  public let calls: [CallSite]

  public init(_ errors: [ScriptError], stage: Stage, calls: [CallSite] = []) {
    (self.errors, self.stage, self.calls) = (errors, stage, calls)
  }

  public var category: ErrorCategory {
    let category = errors.first?.category ?? .runtime
    return stage == .check && category == .runtime ? .script : category
  }
}
