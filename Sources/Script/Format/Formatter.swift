/// Why a script is not set in the layout.
public enum FormatError: Error {
  /// It has mistakes.
  case mistakes([ScriptError])
  /// The layout would change what it says, which is a mistake of the layout's.
  case changed
}

/// Sets scripts in one layout: two columns for each level, one space around operators, at most one empty line, at most
/// ``Formatter/width`` columns where brackets or operators allow it.
///
/// The author's line breaks within brackets stay, as those of blocks do. Comments and strings are never changed.
public struct Formatter: Sendable {
  /// Columns that a line has at most, as far as it can be broken.
  public static let width = 100

  /// A script in the layout. What comes out goes in again unchanged.
  /// - Throws: `FormatError`.
  public static func format(_ source: Source) throws(FormatError) -> String {
    let parsed = Parser.parse(source)
    guard parsed.errors.isEmpty else { throw .mistakes(parsed.errors) }
    var lexer = Lexer(source)
    var layout = Layout(FormatPiece.pieces(of: source, lexer.tokens()))
    layout.settle()
    let text = layout.text
    // A layout that would say something else is none.
    let again = Parser.parse(Source(text, name: source.name))
    guard again.errors.isEmpty, again.program.description == parsed.program.description,
      again.program.isSilent == parsed.program.isSilent
    else { throw .changed }
    return text
  }
}
