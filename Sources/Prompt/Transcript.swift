internal import Foundation

/// Text that was copied from a prompt: with its prompts, and maybe with what was answered.
public enum Transcript {
  public static let prompt = "reprise> "
  public static let continuation = "    ...> "

  /// What had been typed: where the text begins with a prompt, the lines behind prompts.
  public static func typed(in text: String) -> String {
    guard text.hasPrefix(prompt) || text.hasPrefix(continuation) else { return text }
    return text.split(separator: "\n").compactMap { line -> Substring? in
      // A line that was empty has lost its last blank.
      [prompt, continuation].first { line.hasPrefix($0.dropLast()) }.map { line.dropFirst($0.count) }
    }.joined(separator: "\n")
  }

  /// An entry as it stands on the screen after it was typed.
  public static func shown(_ entry: String) -> String {
    prompt + entry.replacing("\n", with: "\n" + continuation)
  }
}
