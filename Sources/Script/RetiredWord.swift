/// A word of the language that has another one now. An error that it leads to names the new one.
public struct RetiredWord: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    /// A built-in function.
    case function
    /// An argument of these functions; of any where there are none.
    case argument(of: [String])
    /// A field of a value.
    case field
    /// A string that this argument took.
    case choice(of: String)
  }
  public let kind: Kind
  public let old, new: String

  public init(_ kind: Kind, _ old: String, _ new: String) { (self.kind, self.old, self.new) = (kind, old, new) }
}

extension ScriptError {
  /// The same error; where a retired word is its cause, one that names the word of today.
  func explained(by words: [RetiredWord]) -> ScriptError {
    func now(_ old: String, where fits: (RetiredWord.Kind) -> Bool) -> String? {
      words.first { $0.old == old && fits($0.kind) }?.new
    }
    switch self {
    case .unknownName(let name, let span, _):
      return now(name) { $0 == .function }.map { .retired(name, now: $0, at: span) } ?? self
    case .unknownField(let name, _, let span, _):
      return now(name) { $0 == .field || $0 == .function }.map { .retired(name, now: $0, at: span) } ?? self
    case .unknownLabel(let label, let function, let span, _, _):
      let new = now(label) {
        if case .argument(let functions) = $0 { functions.isEmpty || functions.contains(function) } else { false }
      }
      return new.map { .retired(label, now: $0, at: span) } ?? self
    case .wrongChoice(let given, let what, _, let span, _):
      return now(given) { $0 == .choice(of: what) }.map { .retired(given, now: $0, at: span) } ?? self
    default: return self
    }
  }
}
