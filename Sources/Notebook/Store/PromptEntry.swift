public import Script

/// What was typed at the prompt before the next prompt came.
public struct PromptEntry: Hashable, Sendable, Codable {
  /// From 1.
  public let number: Int
  public let text: String
  /// How many of its statements were done; -1 where none began, since it did not check.
  public var done = -1
  /// Whether all went well.
  public var succeeded = false
  /// Whether its value became `ans`.
  public var givesAns = false

  public init(number: Int, text: String) { (self.number, self.text) = (number, text) }
}

extension PromptEntry {
  /// The text, named after its number.
  public var source: Source { Source(text, name: "<\(number)>") }
}

extension Session {
  /// Runs an entry of the prompt; what it gives is `ans` from then on.
  @discardableResult
  public func run(_ entry: PromptEntry) throws(ScriptFailure) -> Outcome {
    let outcome = try run(entry.source)
    switch outcome.value {
    case nil, .some(.none): break
    case .some(let value): self["ans"] = value
    }
    return outcome
  }
}
