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
