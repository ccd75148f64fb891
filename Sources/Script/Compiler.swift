/// Turns a checked tree into code: every name becomes a place.
struct Compiler {
  let library: Library
  private let resolution: Resolution
  /// The place of each global name; asked to make one where there is none.
  private(set) var globals: [String: Int]
  private let makeGlobal: () -> Int

  init(_ resolution: Resolution, library: Library, globals: [String: Int], makeGlobal: @escaping () -> Int) {
    (self.resolution, self.library, self.globals, self.makeGlobal) = (resolution, library, globals, makeGlobal)
  }

  /// The places of one function while its code is made.
  private final class Context {
    let scope: FunctionScope
    let parent: Context?
    /// What the function keeps of its kept; functions of one group keep the same.
    let kept: Kept
    private var slots: [ObjectIdentifier: Int] = [:]
    private var cells: [ObjectIdentifier: Int] = [:]
    private(set) var slotCount = 0
    var cellCount: Int { cells.count }

    init(_ scope: FunctionScope, parent: Context?, _ kept: Kept) {
      (self.scope, self.parent, self.kept) = (scope, parent, kept)
    }

    func newSlot() -> Int {
      slotCount += 1
      return slotCount - 1
    }

    /// The slot of a variable of this function.
    func slot(of variable: Variable) -> Int {
      if let slot = slots[ObjectIdentifier(variable)] { return slot }
      let slot = newSlot()
      slots[ObjectIdentifier(variable)] = slot
      return slot
    }

    /// The cell of a variable of this function that functions inside share.
    func cell(of variable: Variable) -> Int {
      if let cell = cells[ObjectIdentifier(variable)] { return cell }
      let cell = cells.count
      cells[ObjectIdentifier(variable)] = cell
      return cell
    }
  }

  /// What the functions of a group keep of the function around them, and themselves.
  private final class Kept {
    var values: [Code] = []
    var cells: [CellSource] = []
    var valuePlaces: [ObjectIdentifier: Int] = [:]
    var cellPlaces: [ObjectIdentifier: Int] = [:]
    var siblings: [ObjectIdentifier: FunctionCode] = [:]
  }

  /// A program in the order that it runs.
  struct Output {
    /// Makes the functions of the outermost level, so that they can be called from anywhere.
    var functions: [Code]
    var statements: [(code: Code, span: Span)]
    var slotCount: Int
  }

  /// What a script runs as.
  mutating func program(_ program: Program, settings: [String: Value]) throws(ScriptError) -> Output {
    let context = Context(resolution.outermost, parent: nil, Kept())
    for variable in resolution.outermost.variables.values.sorted(by: { $0.name < $1.name })
    where globals[variable.name] == nil { globals[variable.name] = makeGlobal() }
    let (functions, made) = try group(program.statements, context)
    var statements: [(Code, Span)] = []
    for statement in program.statements {
      switch statement.kind {
      // That script ran before this one.
      case .use: statements.append((ConstantCode(.none, statement.span), statement.span))
      case .parameter(let parameter):
        guard let value = settings[parameter.name] ?? parameter.default else {
          throw .notLiteral(parameter.name, at: parameter.expression.span)
        }
        let constant = ConstantCode(value, parameter.expression.span)
        let place = place(of: Name(text: parameter.name, span: parameter.nameSpan), context)
        statements.append((AssignmentCode(place, constant, statement.span), statement.span))
      default: statements.append((try self.statement(statement, made, context), statement.span))
      }
    }
    return Output(functions: functions, statements: statements, slotCount: context.slotCount)
  }

  // MARK: Places

  /// Where a name is given a value.
  private func place(of name: Name, _ context: Context) -> Place {
    let variable = resolution.target(name)
    if variable.kind == .global { return .global(globals[variable.name] ?? 0) }
    return variable.isShared ? .cell(context.cell(of: variable)) : .local(context.slot(of: variable))
  }

  /// Reads a variable that a function sees.
  private func read(_ variable: Variable, _ span: Span, _ context: Context) -> Code {
    if variable.home === context.scope, variable.kind != .global {
      let hidden = resolution.builtin(variable.name)?.value
      if variable.isShared { return CellCode(.own(context.cell(of: variable)), variable.name, hidden, span) }
      return LocalCode(context.slot(of: variable), variable.name, hidden, span)
    }
    let function = function(below: variable.home, around: context)
    switch function.map({ variable.seen(from: $0.scope) }) ?? .global {
    case .global:
      return GlobalCode(globals[variable.name] ?? 0, variable.name, resolution.builtin(variable.name)?.value, span)
    case .sibling:
      if function === context, let code = context.kept.siblings[ObjectIdentifier(variable)] {
        return SiblingCode(code, span)
      }
      return KeptCode(keptValue(variable, span, context), span)
    case .value: return KeptCode(keptValue(variable, span, context), span)
    case .shared:
      let hidden = resolution.builtin(variable.name)?.value
      return CellCode(.kept(keptCell(variable, context)), variable.name, hidden, span)
    }
  }

  /// The function around a place that was made directly in a variable's home.
  private func function(below home: FunctionScope, around context: Context) -> Context? {
    var here = context
    while let parent = here.parent {
      if parent.scope === home { return here }
      here = parent
    }
    return nil
  }

  private func keptValue(_ variable: Variable, _ span: Span, _ context: Context) -> Int {
    let kept = context.kept
    if let place = kept.valuePlaces[ObjectIdentifier(variable)] { return place }
    guard let parent = context.parent else { preconditionFailure("'\(variable.name)' is not around") }
    let code = parent.scope === variable.home && variable.kind == .global
      ? GlobalCode(globals[variable.name] ?? 0, variable.name, nil, span) : read(variable, span, parent)
    // Reading it may have found it meanwhile.
    if let place = kept.valuePlaces[ObjectIdentifier(variable)] { return place }
    kept.values.append(code)
    kept.valuePlaces[ObjectIdentifier(variable)] = kept.values.count - 1
    return kept.values.count - 1
  }

  private func keptCell(_ variable: Variable, _ context: Context) -> Int {
    let kept = context.kept
    if let place = kept.cellPlaces[ObjectIdentifier(variable)] { return place }
    guard let parent = context.parent else { preconditionFailure("'\(variable.name)' is not around") }
    let source: CellSource =
      parent.scope === variable.home ? .own(parent.cell(of: variable)) : .kept(keptCell(variable, parent))
    kept.cells.append(source)
    kept.cellPlaces[ObjectIdentifier(variable)] = kept.cells.count - 1
    return kept.cells.count - 1
  }

  // MARK: Functions

  /// The functions that the statements of a block define, by the place of their bodies.
  private typealias Made = [Int: (code: FunctionCode, kept: Kept)]

  /// Makes the functions that a block defines. They know each other, so all are there when the first is called.
  private func group(_ statements: [Statement], _ context: Context) throws(ScriptError) -> (code: [Code], made: Made) {
    var functions: [(syntax: FunctionSyntax, name: Name, code: FunctionCode, span: Span)] = []
    let kept = Kept()
    for statement in statements {
      guard case .function(let syntax) = statement.kind, let name = syntax.name else { continue }
      let code = FunctionCode(name: name.text)
      functions.append((syntax, name, code, statement.span))
      let variable = resolution.target(name)
      if variable.group != nil { kept.siblings[ObjectIdentifier(variable)] = code }
    }
    guard !functions.isEmpty else { return ([], [:]) }
    for function in functions { try define(function.code, function.syntax, kept, context) }
    var made: Made = [:]
    var members: [(place: Place, function: FunctionCode)] = []
    for function in functions {
      made[function.syntax.body.span.range.lowerBound] = (function.code, kept)
      members.append((place(of: function.name, context), function.code))
    }
    return ([GroupCode(members, kept.values, kept.cells, functions[0].span)], made)
  }

  private func closure(
    _ syntax: FunctionSyntax, assignedTo variable: Variable? = nil, _ span: Span, _ context: Context
  ) throws(ScriptError) -> Code {
    let code = FunctionCode(name: syntax.name?.text ?? "function")
    let kept = Kept()
    if let variable, let group = variable.group, group === resolution.scope(of: syntax).group {
      kept.siblings[ObjectIdentifier(variable)] = code
    }
    try define(code, syntax, kept, context)
    return ClosureCode(code, kept.values, kept.cells, span)
  }

  private func define(
    _ code: FunctionCode, _ function: FunctionSyntax, _ kept: Kept, _ outer: Context
  ) throws(ScriptError) {
    let context = Context(resolution.scope(of: function), parent: outer, kept)
    // The first slots are the parameters'.
    for variable in context.scope.parameters { _ = context.slot(of: variable) }
    var parameters: [FunctionCode.Parameter] = []
    for (parameter, variable) in Swift.zip(function.parameters, context.scope.parameters) {
      let value = try parameter.default.map { value throws(ScriptError) in try expression(value, context) }
      parameters.append(
        .init(
          name: parameter.name.text, default: value, cell: variable.isShared ? context.cell(of: variable) : nil))
    }
    let statements = function.body.statements
    let body: Code
    if statements.count == 1, case .expression(let value) = statements[0].kind, !value.hasBlocks {
      body = try expression(value, context)
    } else {
      body = BlockCode(try codes(of: statements, context), function.body.span)
    }
    code.parameters = parameters
    code.body = body
    code.slotCount = context.slotCount
    code.cellCount = context.cellCount
  }

  // MARK: Statements

  private func codes(of statements: [Statement], _ context: Context) throws(ScriptError) -> [Code] {
    let (functions, made) = try group(statements, context)
    var codes = functions
    for statement in statements { codes.append(try self.statement(statement, made, context)) }
    return codes
  }

  private func block(_ block: Block, _ context: Context) throws(ScriptError) -> Code {
    let codes = try codes(of: block.statements, context)
    return codes.count == 1 ? codes[0] : BlockCode(codes, block.span)
  }

  private func statement(
    _ statement: Statement, _ made: Made, _ context: Context
  ) throws(ScriptError) -> Code {
    let span = statement.span
    switch statement.kind {
    case .expression(let value): return try expression(value, context)
    case .assignment(let name, let value):
      let variable = resolution.target(name)
      if case .binary(.add, let left, let right) = value.kind, case .name(name.text) = left.kind, !right.hasBlocks,
        case .variable(let read)? = resolution.meaning(of: name.text, at: left.span), read === variable
      {
        return AppendCode(
          place(of: name, context), name.text, try expression(right, context), sum: value.span, variableSpan: left.span,
          span)
      }
      if case .with(let base, let changes) = value.kind, case .name(name.text) = base.kind, !changes.hasBlocks,
        case .variable(let read)? = resolution.meaning(of: name.text, at: base.span), read === variable
      {
        return UpdateCode(
          place(of: name, context), try self.expression(base, context), try expression(changes, context),
          with: value.span, span)
      }
      if case .function(let function) = value.kind {
        let closure = try closure(function, assignedTo: variable, value.span, context)
        return AssignmentCode(place(of: name, context), closure, span)
      }
      return AssignmentCode(place(of: name, context), try expression(value, context), span)
    case .destructuring(let pattern, let value):
      let slot = context.newSlot()
      let source = try expression(value, context)
      return BlockCode(
        [AssignmentCode(.local(slot), source, span), patternCode(pattern, slot, source.span, context)], span)
    case .use: throw .misplaced("use", allowed: "at the outermost level", at: span)
    case .function(let function):
      // It is there since the block began, unless something else was assigned meanwhile.
      guard let name = function.name, let (code, kept) = made[function.body.span.range.lowerBound] else {
        preconditionFailure("a function statement belongs to a block")
      }
      guard resolution.target(name).count > 1 else { return ConstantCode(.none, span) }
      let closure = ClosureCode(code, kept.values, kept.cells, span)
      return AssignmentCode(place(of: name, context), closure, span)
    case .parameter(let parameter): throw .misplaced("param", allowed: "at the outermost level", at: parameter.nameSpan)
    case .loop(.name(let name), let source, let body):
      return LoopCode(
        place(of: name, context), try expression(source, context), try block(body, context), span)
    case .loop(let pattern, let source, let body):
      let slot = context.newSlot()
      let source = try expression(source, context)
      let taken = patternCode(pattern, slot, source.span, context)
      return LoopCode(.local(slot), source, BlockCode([taken, try block(body, context)], body.span), span)
    case .whileLoop(let condition, let body):
      return WhileCode(try expression(condition, context), try block(body, context), span)
    case .return(let value):
      return LeaveCode(.return(try value.map { value throws(ScriptError) in try expression(value, context) }), span)
    case .break: return LeaveCode(.break, span)
    case .continue: return LeaveCode(.continue, span)
    case .text(let text): return TextCode(text, span)
    }
  }

  /// Gives what waits in a slot to the names of a pattern.
  private func patternCode(_ pattern: Pattern, _ slot: Int, _ source: Span, _ context: Context) -> Code {
    PatternCode(pattern, slot: slot, pattern.names.map { place(of: $0, context) }, source: source)
  }

  // MARK: Expressions

  private func expressions(_ list: [Expression], _ context: Context) throws(ScriptError) -> [Code] {
    var codes: [Code] = []
    codes.reserveCapacity(list.count)
    for element in list { codes.append(try expression(element, context)) }
    return codes
  }

  private func expression(_ expression: Expression, _ context: Context) throws(ScriptError) -> Code {
    let span = expression.span
    switch expression.kind {
    case .none: return ConstantCode(.none, span)
    case .bool(let bool): return ConstantCode(.bool(bool), span)
    case .number(let number): return ConstantCode(.number(number), span)
    case .string(let string): return ConstantCode(.string(string), span)
    case .interpolation(let pieces): return InterpolationCode(try expressions(pieces, context), span)
    case .name(let name): return try self.name(name, span, context)
    case .list(let elements): return ListCode(try expressions(elements, context), span)
    case .comprehension(let element, let variable, let source, let condition):
      let source = try self.expression(source, context)
      let slot: Int
      var taken: Code?
      if case .name(let name) = variable {
        slot = context.slot(of: resolution.target(name))
      } else {
        slot = context.newSlot()
        taken = patternCode(variable, slot, source.span, context)
      }
      let condition = try condition.map { value throws(ScriptError) in try self.expression(value, context) }
      return ComprehensionCode(
        try self.expression(element, context), slot: slot, taken: taken, source: source, condition: condition, span)
    case .record(let fields):
      return RecordCode(fields.map(\.name.text), try expressions(fields.map(\.value), context), span)
    case .computedRecord(let fields):
      return ComputedRecordCode(
        try expressions(fields.map(\.key), context), try expressions(fields.map(\.value), context), span)
    case .formatted(let value, let arguments):
      var codes = [ArgumentCode(label: nil, value: try self.expression(value, context))]
      for argument in arguments {
        codes.append(ArgumentCode(label: argument.label, value: try self.expression(argument.value, context)))
      }
      return try call(formatBuiltin, codes, span)
    case .unary(.negate, let operand): return NegateCode(try self.expression(operand, context), span)
    case .unary(.not, let operand): return NotCode(try self.expression(operand, context), span)
    case .binary(let binary, let left, let right):
      let (left, right) = (try self.expression(left, context), try self.expression(right, context))
      switch binary {
      case .and, .or: return LogicCode(isAnd: binary == .and, left, right, span)
      case .otherwise: return OtherwiseCode(left, right, span)
      default: return BinaryCode(binary, left, right, span)
      }
    case .index(let base, let index):
      return IndexCode(try self.expression(base, context), try self.expression(index, context), span)
    case .field(let base, let name): return FieldCode(try self.expression(base, context), name, span)
    case .call(let callee, let arguments): return try call(callee, arguments, span, context)
    case .function(let function): return try closure(function, span, context)
    case .conditional(let condition, let then, let otherwise):
      return ConditionalCode(
        try self.expression(condition, context), try block(then, context),
        try otherwise.map { otherwise throws(ScriptError) in try block(otherwise, context) }, span)
    case .with(let base, let changes):
      return WithCode(try self.expression(base, context), try self.expression(changes, context), span)
    }
  }

  private func name(_ name: String, _ span: Span, _ context: Context) throws(ScriptError) -> Code {
    switch resolution.meaning(of: name, at: span) {
    case .variable(let variable)?: return read(variable, span, context)
    case let meaning?: return ConstantCode(meaning.value ?? .none, span)
    case nil: throw .unknownName(name, at: span, near: [])
    }
  }

  private func call(
    _ callee: Expression, _ arguments: [CallArgument], _ span: Span, _ context: Context
  ) throws(ScriptError) -> Code {
    var codes: [ArgumentCode] = []
    for argument in arguments {
      codes.append(ArgumentCode(label: argument.label, value: try expression(argument.value, context)))
    }
    switch callee.kind {
    case .name(let name):
      if case .builtin(let builtin)? = resolution.meaning(of: name, at: callee.span) {
        return try call(builtin, codes, span)
      }
      let shadows = library.builtin(name) == nil ? nil : name
      return CallCode(try self.name(name, callee.span, context), codes, shadows: shadows, span)
    case .field(let base, let field):
      let receiver = try expression(base, context)
      let slot = context.newSlot()
      let first = ArgumentCode(label: nil, value: ReceiverCode(slot, base.span))
      var own: Code?
      if case .variable(let variable)? = resolution.meaning(of: field.text, at: field.span) {
        own = read(variable, field.span, context)
      }
      var builtin: Result<Code, ScriptError>?
      if let meant = library.builtin(field.text) {
        // Whether the built-in is meant is known only when it runs, and with it whether it is called wrongly.
        do throws(ScriptError) {
          builtin = .success(try call(meant, [first] + codes, span))
        } catch {
          builtin = .failure(error)
        }
      }
      return MethodCallCode(
        receiver, slot: slot, field, codes, own: own.map { ($0, CallCode($0, [first] + codes, span)) },
        builtin: builtin, candidates: { [library, scope = context.scope] in scope.visibleNames + library.builtins.map(\.name) }, span)
    default: return CallCode(try expression(callee, context), codes, span)
    }
  }

  /// A call of a built-in: each argument gets its parameter now.
  private func call(
    _ builtin: Builtin, _ arguments: [ArgumentCode], _ span: Span
  ) throws(ScriptError) -> Code {
    let placed = try ArgumentPlan(builtin).placed(arguments)
    let spans = ArgumentSpans(call: span, places: placed.own.map { $0?.span }, variadic: placed.rest.map(\.span))
    return BuiltinCallCode(builtin, placed.own.map { $0?.value }, placed.rest.map(\.value), spans)
  }
}

extension Meaning {
  /// The value of what the library has; nil for a variable.
  fileprivate var value: Value? {
    switch self {
    case .variable: nil
    case .builtin(let builtin): .function(Function(builtin))
    case .constant(let constant): constant.value
    }
  }
}

extension Expression {
  /// Whether statements stand inside it, outside of functions.
  var hasBlocks: Bool {
    if case .conditional = kind { return true }
    return children.contains { $0.hasBlocks }
  }
}
