public import Script

/// What a prompt needs of the terminal that it runs on.
public protocol PromptTerminal: AnyObject {
  /// Characters of a line.
  var width: Int { get }
  /// Takes a result.
  func print(_ text: String)
  /// Takes a message beside the results.
  func report(_ text: String)
  func report(_ failure: ScriptFailure)
  /// Takes help, which may be longer than the screen.
  func help(_ text: String)
  /// Shows an entry that was not typed here, as if it had been.
  func echo(_ entry: String)
  /// Lets the user edit a text in an editor of theirs.
  func edited(_ text: String) -> Result<String, PromptProblem>
  func run(shellCommand: String) -> ShellEnding
  /// Shows an image within the text, where the terminal can.
  /// - Parameter png: Called for the bytes of a PNG file where they are needed.
  func show(_ png: () -> [UInt8])
}

/// Something that could not be done, and what helps.
public struct PromptProblem: Error, Hashable {
  public let text, hint: String
  public init(_ text: String, hint: String) { (self.text, self.hint) = (text, hint) }
}

/// How a command of the shell ended.
public enum ShellEnding: Hashable, Sendable {
  case exited(Int32)
  case signalled(Int32)
  case notStarted(String)
}

extension PromptTerminal {
  func complain(_ problem: String, hint: String) { report("\(problem)\n  hint: \(hint)") }
}
