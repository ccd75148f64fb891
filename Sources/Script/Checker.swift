/// Finds what is wrong with a script before it runs: names, arguments, and types where they are known.
///
/// It never guesses: what it does not know is `any`, and passes.
struct Checker {
  private let library: Library
  private(set) var errors: [ScriptError] = []
  private static let mostErrors = 50

  /// A name that has a value somewhere.
  struct Variable {
    var type: ValueType = .any
    var isDefined = false
    var definition: Span?
    var function: FunctionSyntax?
    /// Whether every value it is given is in sight.
    var isConstant = false
  }

  /// The names of one function, or of the outermost level.
  private final class Scope {
    let parent: Scope?
    var variables: [String: Variable] = [:]
    /// Variables of comprehensions, innermost last.
    var inner: [(name: String, type: ValueType)] = []
    var loopDepth = 0
    init(parent: Scope?) { self.parent = parent }
    var isGlobal: Bool { parent == nil }
  }

  /// Checks a script in a session that knows some global names already.
  static func check(_ program: Program, library: Library, globals: [String: Variable]) -> [ScriptError] {
    var checker = Checker(library: library)
    let scope = Scope(parent: nil)
    scope.variables = globals
    checker.declare(program.statements, scope)
    // Functions of the outermost level are there from the beginning.
    var functions = Set<String>()
    for statement in program.statements {
      guard case .function(let function) = statement.kind, let name = function.name else { continue }
      if !functions.insert(name.text).inserted {
        checker.report(.duplicate(name.text, kind: "function", at: name.span))
      }
      scope.variables[name.text]?.isDefined = true
      scope.variables[name.text]?.type = .function
      if scope.variables[name.text]?.isConstant == true { scope.variables[name.text]?.function = function }
    }
    for statement in program.statements { checker.check(statement, scope, mayLeave: true) }
    return checker.errors
  }

  private init(library: Library) { self.library = library }

  private mutating func report(_ error: ScriptError) {
    if errors.count < Self.mostErrors, !errors.contains(error) { errors.append(error) }
  }

  private func declare(_ statements: [Statement], _ scope: Scope) {
    let assigned = AssignedNames(statements)
    for name in assigned.names {
      var variable = scope.variables[name.text] ?? Variable()
      let wasThere = variable.isDefined
      variable.definition = name.span
      variable.isConstant = assigned.counts[name.text] == 1 && !wasThere
      variable.function = nil
      if !variable.isConstant { variable.type = .any }
      scope.variables[name.text] = variable
    }
  }

  // MARK: Statements

  /// - Parameter mayLeave: whether `return` and the like may stand here, which they may not inside a value.
  /// - Returns: the type of the value, where it is the last statement of a block.
  @discardableResult
  private mutating func check(_ statement: Statement, _ scope: Scope, mayLeave: Bool) -> ValueType {
    switch statement.kind {
    case .expression(let value): return type(of: value, scope, mayLeave: mayLeave)
    case .assignment(let name, let value):
      assign(name, type(of: value, scope), value, scope)
    case .function(let function):
      guard let name = function.name else { break }
      if !scope.isGlobal { assign(name, .function, nil, scope) } else { checkAssignable(name) }
      check(function, scope)
      if !scope.isGlobal, scope.variables[name.text]?.isConstant == true {
        scope.variables[name.text]?.function = function
      }
    case .parameter(let parameter):
      let name = Name(text: parameter.name, span: parameter.nameSpan)
      guard scope.isGlobal, mayLeave, scope.loopDepth == 0 else {
        report(.misplaced("param", allowed: "at the outermost level", at: statement.span))
        break
      }
      let itsType = type(of: parameter.expression, scope)
      if parameter.default == nil { report(.notLiteral(parameter.name, at: parameter.expression.span)) }
      assign(name, itsType == .none ? .any : itsType, nil, scope)
    case .loop(let name, let source, let body):
      let sourceType = type(of: source, scope)
      if !ValueType.either([.list, .record, .range, .any]).mightAccept(sourceType), !sourceType.isObject {
        report(.wrongType(what: "what is run through", expected: .list, found: sourceType.found, at: source.span))
      }
      assign(name, sourceType.element, nil, scope)
      scope.loopDepth += 1
      check(body, scope, mayLeave: mayLeave)
      scope.loopDepth -= 1
    case .whileLoop(let condition, let body):
      scope.loopDepth += 1
      require(.bool, condition, "the condition", scope)
      check(body, scope, mayLeave: mayLeave)
      scope.loopDepth -= 1
    case .return(let value):
      if scope.isGlobal {
        report(.misplaced("return", allowed: "in a function", at: statement.span))
      } else if !mayLeave {
        report(.misplaced("return", allowed: "as a statement, not inside of a value", at: statement.span))
      }
      if let value { _ = type(of: value, scope) }
    case .break, .continue:
      let word = if case .break = statement.kind { "break" } else { "continue" }
      if scope.loopDepth == 0 {
        report(.misplaced(word, allowed: "in a loop", at: statement.span))
      } else if !mayLeave {
        report(.misplaced(word, allowed: "as a statement, not inside of a value", at: statement.span))
      }
    case .text: break
    }
    return .any
  }

  @discardableResult
  private mutating func check(_ block: Block, _ scope: Scope, mayLeave: Bool) -> ValueType {
    var last = ValueType.none
    for statement in block.statements { last = check(statement, scope, mayLeave: mayLeave) }
    return last
  }

  private mutating func checkAssignable(_ name: Name) {
    if library.defines(name.text) { report(.assignedBuiltin(name.text, at: name.span)) }
  }

  private mutating func assign(_ name: Name, _ type: ValueType, _ value: Expression?, _ scope: Scope) {
    checkAssignable(name)
    var variable = scope.variables[name.text] ?? Variable()
    variable.isDefined = true
    if variable.isConstant {
      variable.type = type
      if case .function(let function)? = value?.kind { variable.function = function }
    }
    scope.variables[name.text] = variable
  }

  private mutating func check(_ function: FunctionSyntax, _ outer: Scope) {
    let scope = Scope(parent: outer)
    declare(function.body.statements, scope)
    for parameter in function.parameters {
      if scope.variables[parameter.name.text]?.isDefined == true {
        report(.duplicate(parameter.name.text, kind: "parameter", at: parameter.name.span))
      }
      if let value = parameter.default { _ = type(of: value, scope) }
      scope.variables[parameter.name.text] = Variable(isDefined: true)
    }
    if !outer.isGlobal, let name = function.name, scope.variables[name.text] == nil {
      scope.variables[name.text] = Variable(type: .function, isDefined: true)
    }
    check(function.body, scope, mayLeave: true)
  }

  // MARK: Names

  private func visibleNames(_ scope: Scope) -> [String] {
    var names = library.names
    var next: Scope? = scope
    while let scope = next {
      names += scope.variables.keys
      names += scope.inner.map(\.name)
      next = scope.parent
    }
    return names
  }

  private enum Meaning {
    case variable(Variable, isHere: Bool)
    case inner(ValueType)
    case builtin(Builtin)
    case constant(Constant)
  }

  private func meaning(of name: String, _ scope: Scope) -> Meaning? {
    var next: Scope? = scope
    while let here = next {
      if let inner = here.inner.last(where: { $0.name == name }) { return .inner(inner.type) }
      if let variable = here.variables[name] { return .variable(variable, isHere: here === scope) }
      next = here.parent
    }
    if let builtin = library.builtin(name) { return .builtin(builtin) }
    if let constant = library.constant(name) { return .constant(constant) }
    return nil
  }

  private mutating func type(ofName name: String, at span: Span, _ scope: Scope) -> ValueType {
    switch meaning(of: name, scope) {
    case .inner(let type): return type
    case .variable(let variable, let isHere):
      if !variable.isDefined, isHere, scope.loopDepth == 0, let definition = variable.definition {
        report(.usedBeforeDefined(name, at: span, defined: definition))
      }
      return variable.isDefined ? variable.type : .any
    case .builtin: return .function
    case .constant(let constant): return constant.type
    case nil:
      report(.unknownName(name, at: span, near: Spelling.nearest(to: name, in: visibleNames(scope))))
      return .any
    }
  }

  // MARK: Expressions

  private mutating func require(_ expected: ValueType, _ value: Expression, _ what: String, _ scope: Scope) {
    let found = type(of: value, scope)
    if !expected.mightAccept(found) {
      report(.wrongType(what: what, expected: expected, found: found.found, at: value.span))
    }
  }

  private mutating func type(of expression: Expression, _ scope: Scope, mayLeave: Bool = false) -> ValueType {
    switch expression.kind {
    case .none: return .none
    case .bool: return .bool
    case .number(let number): return number.rounded() == number ? .integer : .number
    case .string(let string): return .oneOf([string])
    case .interpolation(let pieces):
      for piece in pieces { _ = type(of: piece, scope) }
      return .string
    case .name(let name): return type(ofName: name, at: expression.span, scope)
    case .list(let elements):
      var joined: ValueType?
      for element in elements {
        let itsType = type(of: element, scope).widened
        joined = joined.map { $0.joined(with: itsType) } ?? itsType
      }
      return .list(of: joined ?? .any)
    case .comprehension(let element, let variable, let source, let condition):
      let sourceType = type(of: source, scope)
      if !ValueType.either([.list, .record, .range]).mightAccept(sourceType), !sourceType.isObject {
        report(.wrongType(what: "what is run through", expected: .list, found: sourceType.found, at: source.span))
      }
      scope.inner.append((variable.text, sourceType.element))
      if let condition { require(.bool, condition, "the condition", scope) }
      let elementType = type(of: element, scope)
      scope.inner.removeLast()
      return .list(of: elementType.widened)
    case .record(let fields):
      var types: [String: ValueType] = [:]
      for field in fields {
        if types[field.name.text] != nil { report(.duplicate(field.name.text, kind: "field", at: field.name.span)) }
        types[field.name.text] = type(of: field.value, scope).widened
      }
      return .recordOf(types)
    case .unary(.not, let operand):
      require(.bool, operand, "what 'not' is applied to", scope)
      return .bool
    case .unary(.negate, let operand):
      let found = type(of: operand, scope)
      if !ValueType.number.mightAccept(found) {
        report(.wrongOperands("-", left: found.found, right: nil, at: expression.span))
      }
      return found == .integer ? .integer : .number
    case .binary(let binary, let left, let right): return type(of: binary, left, right, expression.span, scope)
    case .index(let base, let index):
      let baseType = type(of: base, scope)
      let indexType = type(of: index, scope)
      if case .recordOf(let fields) = baseType, case .oneOf(let names) = indexType, names.count == 1 {
        if let field = fields[names[0]] { return field }
        report(
          .unknownField(
            names[0], of: "record", at: index.span, near: Spelling.nearest(to: names[0], in: Array(fields.keys))))
        return .any
      }
      switch baseType {
      case .number, .integer, .bool, .none, .function:
        report(.wrongType(what: "what is indexed", expected: .list, found: baseType.found, at: base.span))
      case .list(of: let element): if ValueType.number.mightAccept(indexType), indexType != .any { return element }
      default: break
      }
      return .any
    case .field(let base, let name): return type(ofField: name, type(of: base, scope))
    case .call(let callee, let arguments): return type(ofCall: callee, arguments, expression.span, scope)
    case .function(let function):
      check(function, scope)
      return .function
    case .conditional(let condition, let then, let otherwise):
      require(.bool, condition, "the condition", scope)
      let first = check(then, scope, mayLeave: mayLeave)
      guard let otherwise else { return .any }
      return first.joined(with: check(otherwise, scope, mayLeave: mayLeave))
    case .with(let base, let changes):
      let baseType = type(of: base, scope)
      let changesType = type(of: changes, scope)
      if !ValueType.record.mightAccept(changesType) {
        report(.wrongType(what: "what follows 'with'", expected: .record, found: changesType.found, at: changes.span))
      }
      switch (baseType, changesType) {
      case (.recordOf(let old), .recordOf(let new)): return .recordOf(old.merging(new) { $1 })
      case (.object, _), (.record, _), (.any, _), (.optional, _), (.either, _): return baseType
      case (.recordOf, _): return .record
      default:
        report(.wrongType(what: "what stands before 'with'", expected: .record, found: baseType.found, at: base.span))
        return .any
      }
    }
  }

  private mutating func type(
    of binary: BinaryOperator, _ left: Expression, _ right: Expression, _ span: Span, _ scope: Scope
  ) -> ValueType {
    switch binary {
    case .and, .or:
      require(.bool, left, "a side of '\(binary.rawValue)'", scope)
      require(.bool, right, "a side of '\(binary.rawValue)'", scope)
      return .bool
    default: break
    }
    let (a, b) = (type(of: left, scope), type(of: right, scope))
    func bothMay(_ type: ValueType) -> Bool { type.mightAccept(a) && type.mightAccept(b) }
    switch binary {
    case .equal, .notEqual: return .bool
    case .less, .lessOrEqual, .greater, .greaterOrEqual:
      if !bothMay(.number), !bothMay(.string) { break }
      return .bool
    case .range, .halfOpenRange:
      if !bothMay(.number) { break }
      return .range
    case .add:
      if !bothMay(.number), !bothMay(.string), !bothMay(.list) { break }
      if a == .any || b == .any { return .any }
      return a.widened.joined(with: b.widened)
    default:
      if !bothMay(.number) { break }
      return a == .integer && b == .integer && binary != .divide && binary != .power ? .integer : .number
    }
    report(.wrongOperands(binary.rawValue, left: a.found, right: b.found, at: span))
    return .any
  }

  /// The fields of a type, where all are known.
  private func fields(of type: ValueType) -> [String: ValueType]? {
    switch type {
    case .recordOf(let fields): return fields
    case .range: return ["lower": .number, "upper": .number]
    case .number, .integer, .string, .oneOf, .bool, .none, .list, .function: return [:]
    case .object(let name):
      guard let type = library.objectType(name), !type.isOpen else { return nil }
      return Dictionary(type.fields.map { ($0.name, $0.type) }) { first, _ in first }
    default: return nil
    }
  }

  private mutating func type(ofField name: Name, _ base: ValueType) -> ValueType {
    guard let fields = fields(of: base) else {
      if case .object(let type) = base {
        return library.objectType(type)?.fields.first { $0.name == name.text }?.type ?? .any
      }
      return .any
    }
    if let type = fields[name.text] { return type }
    report(
      .unknownField(
        name.text, of: base.found, at: name.span, near: Spelling.nearest(to: name.text, in: Array(fields.keys))))
    return .any
  }

  // MARK: Calls

  private struct Given {
    let label: Name?
    let type: ValueType
    let span: Span
  }

  private mutating func type(
    ofCall callee: Expression, _ arguments: [CallArgument], _ span: Span, _ scope: Scope
  ) -> ValueType {
    var receiver: Given?
    var calleeName: Name?
    switch callee.kind {
    case .name(let name): calleeName = Name(text: name, span: callee.span)
    case .field(let base, let name):
      let baseType = type(of: base, scope)
      let known = fields(of: baseType)
      if known?[name.text] == nil {
        if meaning(of: name.text, scope) != nil {
          if known != nil {
            receiver = Given(label: nil, type: baseType, span: base.span)
            calleeName = name
          }
        } else if let known {
          let near = Spelling.nearest(to: name.text, in: Array(known.keys) + visibleNames(scope))
          report(.unknownField(name.text, of: baseType.found, at: name.span, near: near))
        }
      }
    default:
      let calleeType = type(of: callee, scope)
      if !ValueType.function.mightAccept(calleeType) { report(.notCallable(calleeType.found, at: callee.span)) }
    }
    var given: [Given] = receiver.map { [$0] } ?? []
    for argument in arguments {
      given.append(Given(label: argument.label, type: type(of: argument.value, scope), span: argument.value.span))
    }
    guard let name = calleeName else { return .any }
    switch meaning(of: name.text, scope) {
    case .builtin(let builtin):
      check(given, of: builtin, at: span)
      return builtin.result
    case .variable(let variable, _):
      let calleeType = type(ofName: name.text, at: name.span, scope)
      if let function = variable.function {
        let slots = function.parameters.map {
          ArgumentPlan.Slot($0.name.text, mayBeOmitted: $0.default != nil)
        }
        _ = check(given, ArgumentPlan(name.text, slots), at: span)
      } else if !ValueType.function.mightAccept(calleeType) {
        report(.notCallable(calleeType.found, at: name.span))
      }
      return .any
    case .constant(let constant):
      if !ValueType.function.mightAccept(constant.type) { report(.notCallable(constant.type.found, at: name.span)) }
      return .any
    case .inner: return .any
    case nil:
      _ = type(ofName: name.text, at: name.span, scope)
      return .any
    }
  }

  /// Checks labels and counts. Returns for each argument its parameter, or nil where there is none.
  private mutating func check(_ given: [Given], _ plan: ArgumentPlan, at span: Span) -> [Int?] {
    var taken = Set<Int>()
    var places: [Int?] = []
    var isWrong = false
    for (index, argument) in given.enumerated() {
      do throws(ScriptError) {
        let place = try plan.place(
          of: index, label: argument.label?.text, labelSpan: argument.label?.span, at: argument.span)
        if !plan.slots[place].isVariadic, !taken.insert(place).inserted {
          throw .duplicate(plan.slots[place].name, kind: "argument", at: argument.label?.span ?? argument.span)
        }
        places.append(place)
      } catch {
        report(error)
        isWrong = true
        places.append(nil)
      }
    }
    if !isWrong {
      for (index, slot) in plan.slots.enumerated() where !slot.mayBeOmitted && !taken.contains(index) {
        report(.missingArgument(slot.name, of: plan.function, at: span))
      }
    }
    return places
  }

  private mutating func check(_ given: [Given], of builtin: Builtin, at span: Span) {
    let places = check(given, ArgumentPlan(builtin), at: span)
    for (argument, place) in Swift.zip(given, places) {
      guard let place else { continue }
      let parameter = builtin.parameters[place]
      let expected = parameter.mayBeOmitted ? .optional(parameter.type) : parameter.type
      if case .oneOf(let choices) = parameter.type.unwrapped, case .oneOf(let strings) = argument.type,
        strings.count == 1
      {
        if !choices.contains(strings[0]) {
          report(
            .wrongChoice(
              strings[0], what: parameter.label, allowed: choices, at: argument.span,
              near: Spelling.nearest(to: strings[0], in: choices)))
        }
      } else if !expected.mightAccept(argument.type) {
        report(
          .wrongType(
            what: parameter.label, expected: parameter.type, found: argument.type.found, at: argument.span))
      } else if let allowed = parameter.allowed, let number = argument.span.numberLiteral, !allowed.contains(number) {
        report(.outOfRange(parameter.label, number, allowed: allowed, at: argument.span))
      } else if parameter.type.unwrapped == .integer, argument.type == .number, let number = argument.span.numberLiteral
      {
        report(.notWhole(number, what: parameter.label, at: argument.span))
      }
    }
  }
}

extension Span {
  /// The number that stands there as a literal.
  fileprivate var numberLiteral: Double? {
    guard range.count < 40 else { return nil }
    let (program, errors, _) = Parser.parse(Source(text, name: ""))
    guard errors.isEmpty, program.statements.count == 1, case .expression(let value) = program.statements[0].kind,
      case .number(let number)? = value.literalValue
    else { return nil }
    return number
  }
}

extension ValueType {
  /// How a value of the type is called where it is found and not wanted.
  var found: String {
    switch self {
    case .oneOf: "string"
    case .integer: "number"
    case .bool: "truth value"
    case .list: "list"
    default: description
    }
  }

  /// Without what is known only of a literal.
  var widened: ValueType { if case .oneOf = self { .string } else { self } }

  var isObject: Bool { if case .object = self { true } else { false } }

  /// What a loop over it gives.
  var element: ValueType {
    switch self {
    case .list(of: let element): element
    case .range: .number
    case .record, .recordOf: .string
    default: .any
    }
  }

  /// The type of a value that may be of either.
  func joined(with other: ValueType) -> ValueType {
    if self == other { return self }
    switch (self, other) {
    case (.integer, .number), (.number, .integer): return .number
    case (.oneOf, .oneOf), (.oneOf, .string), (.string, .oneOf): return .string
    default: return .any
    }
  }
}

extension Value {
  /// What the checker may know of a value that a session holds.
  var staticType: ValueType {
    switch self {
    case .none: .any
    case .bool: .bool
    case .number: .number
    case .string: .string
    case .list(let list):
      .list(
        of: list.elements.isEmpty || list.elements.count > 100
          ? .any : list.elements[1...].reduce(list.elements[0].staticType) { $0.joined(with: $1.staticType) })
    case .record(let record):
      .recordOf(Dictionary(record.fields.map { ($0, $1.staticType) }) { first, _ in first })
    case .range: .range
    case .function: .function
    case .object(let object): .object(object.typeName)
    }
  }
}
