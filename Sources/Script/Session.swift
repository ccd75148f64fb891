import Foundation

/// A running script or prompt: global values that stay from line to line.
///
/// One thread at a time may use it; an error leaves it alive and its values as they are.
public final class Session: @unchecked Sendable {  // Sendable: handed from thread to thread, never used by two at once
  public let library: Library
  public let interruption: Interruption
  private let machine: Machine
  private var globals: [String: Int] = [:]
  private var functions: [String: FunctionSyntax] = [:]
  private let scripts: UsedScripts

  public init(
    library: Library, output: any ScriptOutput, interruption: Interruption = Interruption(),
    host: (any Sendable)? = nil, workingDirectory: WorkingDirectory = WorkingDirectory(),
    environment: [String: String]? = nil, scripts: UsedScripts = .files
  ) {
    self.library = library
    self.interruption = interruption
    self.scripts = scripts
    machine = Machine(
      library: library, output: output, interruption: interruption, host: host, workingDirectory: workingDirectory,
      environment: environment ?? ProcessInfo.processInfo.environment)
  }

  /// Parses and checks a script against what this session knows, without running it.
  public func check(_ source: Source) -> [ScriptError] {
    let (program, errors, _) = Parser.parse(source)
    if !errors.isEmpty { return errors }
    switch chain(program) {
    case .success(let chain): return check(chain).errors
    case .failure(let failure): return failure.errors
    }
  }

  /// What can be set from outside.
  public static func parameters(of source: Source) -> [ScriptParameter] { Parser.parse(source).program.parameters }

  /// The scripts that a program uses, before those that use them, and it as the last.
  private func chain(_ program: Program) -> Result<[Program], ScriptFailure> {
    do throws(ScriptFailure) {
      var chain = UseChain(scripts, machine.workingDirectory)
      return .success(try chain.programs(of: program))
    } catch {
      return .failure(error)
    }
  }

  /// Checks scripts of which each knows the names of those before it.
  private func check(_ chain: [Program]) -> (errors: [ScriptError], resolutions: [Resolution]) {
    var known: [String: Checker.Knowledge] = [:]
    for (name, slot) in globals {
      guard let value = machine.globals[slot] else { continue }
      known[name] = Checker.Knowledge(type: value.staticType, isDefined: true, function: functions[name])
    }
    var errors: [ScriptError] = []
    var resolutions: [Resolution] = []
    for program in chain {
      let resolution = Resolution(program, library: library, known: known.keys)
      resolutions.append(resolution)
      // What a script gives another value is seen by the functions of those before it too.
      let assigned = Set(AssignedNames(program.statements).names.map(\.text))
      if !assigned.isDisjoint(with: known.keys) { known = known.mapValues(\.withoutResult) }
      let found = Checker.check(program, resolution, library: library, globals: known)
      errors += found.errors.map { $0.explained(by: library.retired) }
      known = found.globals
    }
    return (errors, resolutions)
  }

  /// What a script came to.
  public struct Outcome: Sendable {
    /// The value of the last statement, if it is an expression.
    public let value: Value?
    /// Whether the text ends with `;`.
    public let isSilent: Bool
    /// Whether the value was printed while it was made.
    public let wasPrinted: Bool
  }

  /// Checks a script and runs it.
  ///
  /// - Parameters:
  ///   - settings: values for the script's `param`s, as text: `scale=paper`.
  /// - Throws: `ScriptFailure` with all errors of the check, or the error of the run and the calls on its way.
  @discardableResult
  public func run(_ source: Source, settings: [String: String] = [:]) throws(ScriptFailure) -> Outcome {
    let (program, errors, _) = Parser.parse(source)
    guard errors.isEmpty else { throw ScriptFailure(errors, stage: .check) }
    let chain = try chain(program).get()
    let (problems, resolutions) = check(chain)
    guard problems.isEmpty else { throw ScriptFailure(problems, stage: .check) }
    var outputs: [Compiler.Output] = []
    do throws(ScriptError) {
      let values = try Self.values(of: settings, for: chain)
      for (program, resolution) in Swift.zip(chain, resolutions) {
        var compiler = Compiler(resolution, library: library, globals: globals) { [machine] in machine.addGlobal() }
        outputs.append(try compiler.program(program, settings: values))
        globals = compiler.globals
      }
    } catch {
      throw ScriptFailure([error], stage: .check)
    }
    for program in chain {
      for name in AssignedNames(program.statements).names { functions[name.text] = nil }
      for statement in program.statements {
        if case .function(let function) = statement.kind, let name = function.name { functions[name.text] = function }
      }
    }
    machine.program = source
    for used in chain.dropLast() { machine.usedTexts[used.source.name] = used.source.text }
    var outcome = Outcome(value: nil, isSilent: false, wasPrinted: false)
    for (program, output) in Swift.zip(chain, outputs) {
      outcome = try run(output, program, isUsed: program.source != source)
    }
    return outcome
  }

  /// How many statements of the last script were done: all, or those before the one that failed.
  public private(set) var statementsDone = 0

  private func run(
    _ output: Compiler.Output, _ program: Program, isUsed: Bool
  ) throws(ScriptFailure) -> Outcome {
    statementsDone = 0
    machine.measureStack()
    machine.trace = []
    machine.depth = 0
    let frame = Frame(machine, count: output.slotCount)
    var last: Value?
    do throws(ScriptError) {
      for function in output.functions { _ = try function.run(frame) }
      for (index, statement) in output.statements.enumerated() {
        statementsDone = isUsed ? 0 : index
        try machine.checkInterruption(at: statement.code.span)
        if !isUsed { machine.output.execute(statement.span) }
        guard case .value(let value) = try statement.code.run(frame) else { continue }
        if index == output.statements.count - 1 { last = value }
      }
    } catch {
      let calls = machine.trace
      machine.trace = []
      throw ScriptFailure([error.explained(by: library.retired)], stage: .run, calls: calls)
    }
    statementsDone = output.statements.count
    guard case .expression? = program.statements.last?.kind, let last else {
      return Outcome(value: nil, isSilent: program.isSilent, wasPrinted: false)
    }
    return Outcome(
      value: last, isSilent: program.isSilent, wasPrinted: output.statements.last?.code.printsResult == true)
  }

  /// The directory that this session may write below.
  public var workingDirectory: WorkingDirectory { machine.workingDirectory }

  // MARK: Global values

  /// The names that have a value, sorted.
  public var globalNames: [String] {
    globals.filter { machine.globals[$0.value] != nil }.keys.sorted()
  }

  public subscript(name: String) -> Value? {
    get { globals[name].flatMap { machine.globals[$0] } }
    set {
      let slot = globals[name] ?? machine.addGlobal()
      globals[name] = slot
      machine.globals[slot] = newValue
    }
  }

  /// What the names stood for at one moment. Values never change, so this is a copy of the names alone.
  public struct Names: Sendable {
    fileprivate let values: [String: Value]
    fileprivate let functions: [String: FunctionSyntax]

    /// Nothing has a name.
    public static let none = Names(values: [:], functions: [:])
  }

  /// What all names stand for; set, to give them back what they stood for at another moment of this session.
  public var names: Names {
    get { Names(values: globals.compactMapValues { machine.globals[$0] }, functions: functions) }
    set {
      for name in Set(globals.keys).union(newValue.values.keys) { self[name] = newValue.values[name] }
      functions = newValue.functions
    }
  }

  // MARK: Settings

  static func values(
    of settings: [String: String], for chain: [Program]
  ) throws(ScriptError) -> [String: Value] {
    let parameters = chain.reversed().flatMap(\.parameters)
    var values: [String: Value] = [:]
    for (name, text) in settings.sorted(by: { $0.key < $1.key }) {
      guard let parameter = parameters.first(where: { $0.name == name }) else {
        throw .unknownSetting(name, near: Spelling.nearest(to: name, in: parameters.map(\.name)))
      }
      guard let value = Self.value(text, like: parameter.default ?? .none) else {
        throw .wrongSetting(name, value: text, expected: Self.expectation(parameter.default ?? .none))
      }
      values[name] = value
    }
    return values
  }

  /// Reads a setting as a literal of the kind of the default. Text needs no quotes.
  private static func value(_ text: String, like model: Value) -> Value? {
    if case .string = model { return .string(text) }
    let (program, errors, _) = Parser.parse(Source(text, name: "--set"))
    var literal: Value?
    if errors.isEmpty, program.statements.count == 1, case .expression(let expression) = program.statements[0].kind {
      literal = expression.literalValue
    }
    switch (model, literal) {
    case (.none, _): return literal ?? .string(text)
    case (.number, .number), (.bool, .bool), (.list, .list), (.record, .record): return literal
    default: return nil
    }
  }

  private static func expectation(_ model: Value) -> String {
    switch model {
    case .bool: "true or false"
    default: "a \(model.typeName)"
    }
  }

  /// Whether a text is a whole script, or needs more lines: an open bracket, an operator at its end.
  public static func isComplete(_ text: String) -> Bool {
    !Parser.parse(Source(text, name: "")).isIncomplete
  }
}
