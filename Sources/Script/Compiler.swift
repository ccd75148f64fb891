/// Turns a checked tree into code: every name becomes a place.
struct Compiler {
  let library: Library
  /// The place of each global name; asked to make one where there is none.
  private(set) var globals: [String: Int]
  private let makeGlobal: () -> Int

  init(library: Library, globals: [String: Int], makeGlobal: @escaping () -> Int) {
    (self.library, self.globals, self.makeGlobal) = (library, globals, makeGlobal)
  }

  /// The names that have places in one frame.
  private final class Scope {
    let parent: Scope?
    /// The outermost scope: its names are global, except for variables of comprehensions.
    var isGlobal: Bool { parent == nil }
    var locals: [String: Int] = [:]
    /// Variables of the comprehensions around, innermost last.
    var inner: [(name: String, slot: Int)] = []
    var captures: [(code: LocalCode, slot: Int)] = []
    var selfName: String?
    var selfSlot: Int?
    var slotCount = 0

    init(parent: Scope?) { self.parent = parent }

    func newSlot() -> Int {
      slotCount += 1
      return slotCount - 1
    }

    func slot(of name: String, at span: Span) -> Int? {
      if let inner = inner.last(where: { $0.name == name }) { return inner.slot }
      if let local = locals[name] { return local }
      if let selfName, selfName == name {
        if selfSlot == nil { selfSlot = newSlot() }
        return selfSlot
      }
      guard let parent, let outer = parent.slot(of: name, at: span) else { return nil }
      let slot = newSlot()
      locals[name] = slot
      captures.append((LocalCode(outer, name, span), slot))
      return slot
    }
  }

  /// What a script runs as: functions of the outermost level first, so that they can be called from anywhere.
  mutating func program(_ program: Program, settings: [String: Value]) throws(ScriptError) -> (
    code: [Code], slotCount: Int
  ) {
    let scope = Scope(parent: nil)
    for name in AssignedNames(program.statements).names where globals[name.text] == nil {
      globals[name.text] = makeGlobal()
    }
    var functions: [Code] = []
    var others: [Code] = []
    for statement in program.statements {
      switch statement.kind {
      case .function: functions.append(try self.statement(statement, scope))
      case .parameter(let parameter):
        guard let value = settings[parameter.name] ?? parameter.default else {
          throw .notLiteral(parameter.name, at: parameter.expression.span)
        }
        let constant = ConstantCode(value, parameter.expression.span)
        others.append(AssignmentCode(place(parameter.name, statement.span, scope), constant, statement.span))
      default: others.append(try self.statement(statement, scope))
      }
    }
    return (functions + others, scope.slotCount)
  }

  private func place(_ name: String, _ span: Span, _ scope: Scope) -> Place {
    if scope.isGlobal, let slot = globals[name] { return .global(slot) }
    guard let slot = scope.slot(of: name, at: span) else { preconditionFailure("'\(name)' has no place") }
    return .local(slot)
  }

  // MARK: Statements

  private func statement(_ statement: Statement, _ scope: Scope) throws(ScriptError) -> Code {
    let span = statement.span
    switch statement.kind {
    case .expression(let value): return try expression(value, scope)
    case .assignment(let name, let value):
      if case .binary(.add, let left, let right) = value.kind, case .name(name.text) = left.kind, !right.hasBlocks {
        return AppendCode(place(name.text, span, scope), name.text, try expression(right, scope), value.span)
      }
      return AssignmentCode(place(name.text, span, scope), try expression(value, scope), span)
    case .function(let function):
      guard let name = function.name else { preconditionFailure("a function statement has a name") }
      return AssignmentCode(place(name.text, span, scope), try closure(function, span, scope), span)
    case .parameter(let parameter): throw .misplaced("param", allowed: "at the outermost level", at: parameter.nameSpan)
    case .loop(let name, let source, let body):
      return LoopCode(
        place(name.text, span, scope), try expression(source, scope), try block(body, scope), span)
    case .whileLoop(let condition, let body):
      return WhileCode(try expression(condition, scope), try block(body, scope), span)
    case .return(let value):
      return LeaveCode(.return(try value.map { value throws(ScriptError) in try expression(value, scope) }), span)
    case .break: return LeaveCode(.break, span)
    case .continue: return LeaveCode(.continue, span)
    case .text(let text): return TextCode(text, span)
    }
  }

  private func block(_ block: Block, _ scope: Scope) throws(ScriptError) -> Code {
    if block.statements.count == 1 { return try statement(block.statements[0], scope) }
    var codes: [Code] = []
    for statement in block.statements { codes.append(try self.statement(statement, scope)) }
    return BlockCode(codes, block.span)
  }

  private func closure(_ function: FunctionSyntax, _ span: Span, _ outer: Scope) throws(ScriptError) -> Code {
    let scope = Scope(parent: outer)
    for parameter in function.parameters { scope.locals[parameter.name.text] = scope.newSlot() }
    for name in AssignedNames(function.body.statements).names where scope.locals[name.text] == nil {
      scope.locals[name.text] = scope.newSlot()
    }
    if !outer.isGlobal, let name = function.name?.text, scope.locals[name] == nil { scope.selfName = name }
    var parameters: [FunctionCode.Parameter] = []
    for parameter in function.parameters {
      let value = try parameter.default.map { value throws(ScriptError) in try expression(value, scope) }
      parameters.append(FunctionCode.Parameter(name: parameter.name.text, default: value))
    }
    var codes: [Code] = []
    for statement in function.body.statements { codes.append(try self.statement(statement, scope)) }
    var body: Code = BlockCode(codes, function.body.span)
    if function.body.statements.count == 1, case .expression(let value) = function.body.statements[0].kind,
      !value.hasBlocks
    {
      body = codes[0]
    }
    let code = FunctionCode(
      name: function.name?.text ?? "function", parameters: parameters, body: FunctionBody(code: body),
      slotCount: scope.slotCount, captureSlots: scope.captures.map(\.slot), selfSlot: scope.selfSlot)
    return ClosureCode(code, scope.captures.map(\.code), span)
  }

  // MARK: Expressions

  private func expressions(_ list: [Expression], _ scope: Scope) throws(ScriptError) -> [Code] {
    var codes: [Code] = []
    codes.reserveCapacity(list.count)
    for element in list { codes.append(try expression(element, scope)) }
    return codes
  }

  private func expression(_ expression: Expression, _ scope: Scope) throws(ScriptError) -> Code {
    let span = expression.span
    switch expression.kind {
    case .none: return ConstantCode(.none, span)
    case .bool(let bool): return ConstantCode(.bool(bool), span)
    case .number(let number): return ConstantCode(.number(number), span)
    case .string(let string): return ConstantCode(.string(string), span)
    case .interpolation(let pieces): return InterpolationCode(try expressions(pieces, scope), span)
    case .name(let name): return try self.name(name, span, scope)
    case .list(let elements): return ListCode(try expressions(elements, scope), span)
    case .comprehension(let element, let variable, let source, let condition):
      let source = try self.expression(source, scope)
      let slot = scope.newSlot()
      scope.inner.append((variable.text, slot))
      defer { scope.inner.removeLast() }
      let condition = try condition.map { value throws(ScriptError) in try self.expression(value, scope) }
      return ComprehensionCode(
        try self.expression(element, scope), slot: slot, source: source, condition: condition, span)
    case .record(let fields):
      return RecordCode(fields.map(\.name.text), try expressions(fields.map(\.value), scope), span)
    case .unary(.negate, let operand): return NegateCode(try self.expression(operand, scope), span)
    case .unary(.not, let operand): return NotCode(try self.expression(operand, scope), span)
    case .binary(let binary, let left, let right):
      let (left, right) = (try self.expression(left, scope), try self.expression(right, scope))
      switch binary {
      case .and, .or: return LogicCode(isAnd: binary == .and, left, right, span)
      default: return BinaryCode(binary, left, right, span)
      }
    case .index(let base, let index):
      return IndexCode(try self.expression(base, scope), try self.expression(index, scope), span)
    case .field(let base, let name): return FieldCode(try self.expression(base, scope), name, span)
    case .call(let callee, let arguments): return try call(callee, arguments, span, scope)
    case .function(let function): return try closure(function, span, scope)
    case .conditional(let condition, let then, let otherwise):
      return ConditionalCode(
        try self.expression(condition, scope), try block(then, scope),
        try otherwise.map { otherwise throws(ScriptError) in try block(otherwise, scope) }, span)
    case .with(let base, let changes):
      return WithCode(try self.expression(base, scope), try self.expression(changes, scope), span)
    }
  }

  private func name(_ name: String, _ span: Span, _ scope: Scope) throws(ScriptError) -> Code {
    if let slot = scope.slot(of: name, at: span) { return LocalCode(slot, name, span) }
    if let slot = globals[name] { return GlobalCode(slot, name, span) }
    if let builtin = library.builtin(name) { return ConstantCode(.function(Function(builtin)), span) }
    if let constant = library.constant(name) { return ConstantCode(constant.value, span) }
    throw .unknownName(name, at: span, near: Spelling.nearest(to: name, in: Array(globals.keys) + library.names))
  }

  private func call(
    _ callee: Expression, _ arguments: [CallArgument], _ span: Span, _ scope: Scope
  ) throws(ScriptError) -> Code {
    var codes: [ArgumentCode] = []
    for argument in arguments {
      codes.append(ArgumentCode(label: argument.label, value: try expression(argument.value, scope)))
    }
    switch callee.kind {
    case .name(let name): return try call(name, callee.span, codes, span, scope)
    case .field(let base, let field):
      let receiver = try expression(base, scope)
      let slot = scope.newSlot()
      let first = ArgumentCode(label: nil, value: LocalCode(slot, field.text, base.span))
      let isKnown =
        scope.slot(of: field.text, at: field.span) != nil || globals[field.text] != nil
        || library.builtin(field.text) != nil
      let fallback = isKnown ? try? call(field.text, field.span, [first] + codes, span, scope) : nil
      return MethodCallCode(
        receiver, slot: slot, field, codes, fallback: fallback,
        candidates: Array(globals.keys) + library.builtins.map(\.name), span)
    default: return CallCode(try expression(callee, scope), codes, span)
    }
  }

  private func call(
    _ name: String, _ nameSpan: Span, _ arguments: [ArgumentCode], _ span: Span, _ scope: Scope
  ) throws(ScriptError) -> Code {
    guard scope.slot(of: name, at: nameSpan) == nil, globals[name] == nil, let builtin = library.builtin(name) else {
      return CallCode(try self.name(name, nameSpan, scope), arguments, span)
    }
    let plan = ArgumentPlan(builtin)
    var codes = [Code?](repeating: nil, count: builtin.parameters.count)
    var variadic: [Code] = []
    for (index, argument) in arguments.enumerated() {
      let place = try plan.place(
        of: index, label: argument.label?.text, labelSpan: argument.label?.span, at: argument.value.span)
      if builtin.parameters[place].isVariadic {
        variadic.append(argument.value)
      } else if codes[place] == nil {
        codes[place] = argument.value
      } else {
        throw .duplicate(builtin.parameters[place].label, kind: "argument", at: argument.value.span)
      }
    }
    let spans = ArgumentSpans(call: span, places: codes.map { $0?.span }, variadic: variadic.map(\.span))
    return BuiltinCallCode(builtin, codes, variadic, spans)
  }
}

extension Expression {
  /// Whether statements stand inside it, outside of functions.
  var hasBlocks: Bool {
    if case .conditional = kind { return true }
    return children.contains { $0.hasBlocks }
  }
}
