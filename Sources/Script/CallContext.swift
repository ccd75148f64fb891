/// What a builtin may ask of the session that calls it.
public struct CallContext {
  let machine: Machine
  /// Where the call is written.
  public let span: Span

  /// Prints a line, or several.
  public func print(_ text: String) { machine.output.print(text) }

  /// Prints text and tables.
  public func print(_ pieces: [OutputPiece]) { machine.output.print(pieces) }

  /// How many characters a printed line should have at most; nil where that does not matter.
  public var lineWidth: Int? { machine.output.width }

  /// Bits of the colours that a printed line may have: 24, 8 or 0.
  public var colorBits: Int { machine.output.colorBits }

  /// Tells of progress: a message beside the results.
  public func report(_ text: String) { machine.output.report(text) }

  /// Shows an image that was drawn.
  public func show(picture name: String, at path: String) { machine.output.show(picture: name, at: path) }

  /// Calls a function that was passed as a value.
  public func call(_ function: Function, _ arguments: Value...) throws(ScriptError) -> Value {
    try machine.call(function, arguments, at: span)
  }

  public func call(_ function: Function, _ arguments: [Value]) throws(ScriptError) -> Value {
    try machine.call(function, arguments, at: span)
  }

  /// Whether somebody wants the script to stop. Long work asks this often.
  public var isInterrupted: Bool { machine.interruption.isRaised }

  /// The flag itself, for work on other threads.
  public var interruption: Interruption { machine.interruption }

  /// Whether somebody wants the script to stop, as long work asks it.
  public var interrupts: @Sendable () -> Bool { { [interruption] in interruption.isRaised } }

  /// - Throws: `ScriptError.interrupted` where somebody wants the script to stop.
  public func checkInterruption() throws(ScriptError) {
    if isInterrupted { throw .interrupted(at: span) }
  }

  /// What the session was made with, for builtins that keep runs or claims: `context.host(as: Notebook.self)`.
  public func host<Host>(as type: Host.Type) -> Host? { machine.host as? Host }

  /// The directory that scripts may write below.
  public var workingDirectory: WorkingDirectory { machine.workingDirectory }

  /// A path to read, made absolute. Reading is free.
  public func pathToRead(_ path: String) -> String { workingDirectory.absolute(path) }

  /// A path to write, made absolute, with `..` and links resolved; missing folders on the way are not made.
  /// - Throws: `ScriptError.outsideWorkingDirectory` where it leads out of the working directory.
  public func pathToWrite(_ path: String, at span: Span? = nil) throws(ScriptError) -> String {
    try workingDirectory.writable(path, at: span ?? self.span)
  }

  /// A variable of the environment.
  public func environment(_ name: String) -> String? { machine.environment[name] }

  /// The script that the call stands in.
  public var script: Source { span.source }

  /// The script that runs: the one that the call stands in, or one that uses it.
  public var program: Source { machine.program }

  /// The texts of the scripts that `use` brought into the session, by the names they were read under.
  public var usedTexts: [String: String] { machine.usedTexts }
}
