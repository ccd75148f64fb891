/// Finds what is wrong with a script before it runs: names, arguments, and types where they are known.
///
/// It never guesses: what it does not know is `any`, and passes.
struct Checker {
  private let library: Library
  private let resolution: Resolution
  private(set) var errors: [ScriptError] = []
  private static let mostErrors = 50

  /// What is known of a variable at the place that is checked.
  struct Knowledge {
    var type: ValueType = .any
    var isDefined = false
    var function: FunctionSyntax?
    /// Whether every value it is given is in sight.
    var isConstant = false
  }
  private var known: [ObjectIdentifier: Knowledge] = [:]

  /// The function whose statements are checked, or the outermost level.
  private final class Scope {
    let names: FunctionScope
    var loopDepth = 0
    init(_ names: FunctionScope) { self.names = names }
    var isGlobal: Bool { names.isGlobal }
  }

  /// What may leave a statement: nothing that ends a value halfway.
  private struct Exits {
    var function = true
    var loop = true
    static let all = Exits()
    static let none = Exits(function: false, loop: false)
  }

  /// Checks a script in a session that knows some global names already.
  static func check(
    _ program: Program, _ resolution: Resolution, library: Library, globals: [String: Knowledge]
  ) -> [ScriptError] {
    var checker = Checker(resolution, library)
    for variable in resolution.outermost.variables.values {
      guard var knowledge = globals[variable.name] else { continue }
      // What is assigned again can be anything from the first line on, since functions see it.
      if variable.count > 0 { (knowledge.type, knowledge.function) = (.any, nil) }
      checker.known[ObjectIdentifier(variable)] = knowledge
    }
    checker.check(program.statements, Scope(resolution.outermost), .all)
    return checker.errors
  }

  private init(_ resolution: Resolution, _ library: Library) {
    (self.resolution, self.library) = (resolution, library)
  }

  private mutating func report(_ error: ScriptError) {
    if errors.count < Self.mostErrors, !errors.contains(error) { errors.append(error) }
  }

  private func knowledge(of variable: Variable) -> Knowledge {
    known[ObjectIdentifier(variable)] ?? Knowledge(isConstant: variable.count == 1 || variable.kind == .turn)
  }

  // MARK: Statements

  /// - Parameter mayLeave: whether `return` and the like may stand here, which they may not inside a value.
  /// - Returns: the type of the value, where it is the last statement of a block.
  @discardableResult
  private mutating func check(_ statement: Statement, _ scope: Scope, _ exits: Exits) -> ValueType {
    switch statement.kind {
    case .expression(let value): return type(of: value, scope, exits)
    case .assignment(let name, let value):
      if case .function(let function) = value.kind, knowledge(of: resolution.target(name)).isConstant, !scope.isGlobal {
        assign(name, .function, function)  // it can call itself
        _ = type(of: value, scope)
      } else {
        let itsType = type(of: value, scope)
        if case .function(let function) = value.kind {
          assign(name, itsType, function)
        } else {
          assign(name, itsType)
        }
      }
    case .function(let function): check(function, scope)
    case .parameter(let parameter):
      let name = Name(text: parameter.name, span: parameter.nameSpan)
      guard scope.isGlobal, exits.function, exits.loop, scope.loopDepth == 0 else {
        report(.misplaced("param", allowed: "at the outermost level", at: statement.span))
        break
      }
      let itsType = type(of: parameter.expression, scope)
      if parameter.default == nil { report(.notLiteral(parameter.name, at: parameter.expression.span)) }
      assign(name, itsType == .none ? .any : itsType)
    case .loop(let name, let source, let body):
      let sourceType = type(of: source, scope)
      if !ValueType.either([.list, .record, .range, .any]).mightAccept(sourceType), !sourceType.isObject {
        report(.wrongType(what: "what is run through", expected: .list, found: sourceType.found, at: source.span))
      }
      assign(name, sourceType.element)
      scope.loopDepth += 1
      check(body, scope, Exits(function: exits.function))
      scope.loopDepth -= 1
    case .whileLoop(let condition, let body):
      scope.loopDepth += 1
      require(.bool, condition, "the condition", scope)
      check(body, scope, Exits(function: exits.function))
      scope.loopDepth -= 1
    case .return(let value):
      if scope.isGlobal {
        report(.misplaced("return", allowed: "in a function", at: statement.span))
      } else if !exits.function {
        report(.misplaced("return", allowed: "as a statement, not inside of a value", at: statement.span))
      }
      if let value { _ = type(of: value, scope) }
    case .break, .continue:
      let word = if case .break = statement.kind { "break" } else { "continue" }
      if scope.loopDepth == 0 {
        report(.misplaced(word, allowed: "in a loop", at: statement.span))
      } else if !exits.loop {
        report(.misplaced(word, allowed: "as a statement, not inside of a value", at: statement.span))
      }
    case .text: break
    }
    return .any
  }

  @discardableResult
  private mutating func check(_ block: Block, _ scope: Scope, _ exits: Exits) -> ValueType {
    check(block.statements, scope, exits)
  }

  @discardableResult
  private mutating func check(_ statements: [Statement], _ scope: Scope, _ exits: Exits) -> ValueType {
    // The functions of a block are there from its beginning.
    var functions = Set<String>()
    for statement in statements {
      guard case .function(let function) = statement.kind, let name = function.name else { continue }
      if !functions.insert(name.text).inserted {
        report(.duplicate(name.text, kind: "function", at: name.span))
      }
      assign(name, .function, function)
    }
    var last = ValueType.none
    for statement in statements { last = check(statement, scope, exits) }
    return last
  }

  private mutating func assign(_ name: Name, _ type: ValueType, _ function: FunctionSyntax? = nil) {
    let variable = resolution.target(name)
    var knowledge = knowledge(of: variable)
    knowledge.isDefined = true
    if knowledge.isConstant { (knowledge.type, knowledge.function) = (type, function) }
    known[ObjectIdentifier(variable)] = knowledge
  }

  private mutating func check(_ function: FunctionSyntax, _ outer: Scope) {
    let scope = Scope(resolution.scope(of: function))
    var seen = Set<String>()
    for (parameter, variable) in Swift.zip(function.parameters, scope.names.parameters) {
      if !seen.insert(parameter.name.text).inserted {
        report(.duplicate(parameter.name.text, kind: "parameter", at: parameter.name.span))
      }
      if let value = parameter.default { _ = type(of: value, scope) }
      known[ObjectIdentifier(variable)] = Knowledge(isDefined: true)
    }
    check(function.body, scope, .all)
  }

  // MARK: Names

  private func visibleNames(_ scope: Scope) -> [String] { library.names + scope.names.visibleNames }

  /// What a name surely means where it is read; a variable that may have got a value by then hides the built-in.
  private func meaning(of name: String, at span: Span, _ scope: Scope) -> Meaning? {
    let meaning = resolution.meaning(of: name, at: span)
    guard case .variable(let variable)? = meaning else { return meaning }
    return isUnset(variable, scope) ? resolution.builtin(name) ?? meaning : meaning
  }

  /// Whether a variable surely has no value yet.
  private func isUnset(_ variable: Variable, _ scope: Scope) -> Bool {
    !knowledge(of: variable).isDefined && variable.home === scope.names && scope.loopDepth == 0
  }

  private mutating func type(ofName name: String, at span: Span, _ scope: Scope) -> ValueType {
    switch meaning(of: name, at: span, scope) {
    case .variable(let variable):
      if isUnset(variable, scope), let definition = variable.definition {
        report(.usedBeforeDefined(name, at: span, defined: definition))
      }
      let knowledge = knowledge(of: variable)
      return knowledge.isDefined ? knowledge.type : .any
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

  private mutating func type(of expression: Expression, _ scope: Scope, _ exits: Exits = .none) -> ValueType {
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
      assign(variable, sourceType.element)
      if let condition { require(.bool, condition, "the condition", scope) }
      let elementType = type(of: element, scope)
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
      let first = check(then, scope, exits)
      guard let otherwise else { return .any }
      return first.joined(with: check(otherwise, scope, exits))
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
    var value: Expression?
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
        if meaning(of: name.text, at: name.span, scope) != nil {
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
      if !ValueType.function.mightAccept(calleeType) {
        report(.notCallable(calleeType.found, shadows: nil, at: callee.span))
      }
    }
    var given: [Given] = receiver.map { [$0] } ?? []
    for argument in arguments {
      let (value, itsType) = (argument.value, type(of: argument.value, scope))
      given.append(Given(label: argument.label, type: itsType, span: value.span, value: value))
    }
    guard let name = calleeName else { return .any }
    var meaning = meaning(of: name.text, at: name.span, scope)
    // `x.f()` calls the built-in where the script's `f` is no function.
    if receiver != nil, case .variable(let variable)? = meaning, let builtin = resolution.builtin(name.text) {
      let itsType = knowledge(of: variable).type
      if itsType == .any { return .any }
      if !ValueType.function.mightAccept(itsType) { meaning = builtin }
    }
    switch meaning {
    case .builtin(let builtin):
      check(given, of: builtin, at: span)
      return builtin.result
    case .variable(let variable):
      let calleeType = type(ofName: name.text, at: name.span, scope)
      if let function = knowledge(of: variable).function {
        let slots = function.parameters.map {
          ArgumentPlan.Slot($0.name.text, mayBeOmitted: $0.default != nil)
        }
        _ = check(given, ArgumentPlan(name.text, slots), at: span)
      } else if !ValueType.function.mightAccept(calleeType) {
        let shadows = library.builtin(name.text) == nil ? nil : name.text
        report(.notCallable(calleeType.found, shadows: shadows, at: name.span))
      }
      return .any
    case .constant(let constant):
      if !ValueType.function.mightAccept(constant.type) {
        report(.notCallable(constant.type.found, shadows: nil, at: name.span))
      }
      return .any
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

  /// Checks the fields of a record that stands for arguments.
  private mutating func check(_ argument: Given, standingFor parameter: Parameter, of builtin: Builtin) {
    guard let bundle = parameter.bundle else { return }
    let places = argument.value?.fieldSpans ?? [:]
    // Of `recipe.a1 with { … }` only the names behind `with` are known.
    let fields =
      if case .recordOf(let fields) = argument.type { fields } else { places.mapValues { _ in ValueType.any } }
    for (name, type) in fields.sorted(by: { $0.key < $1.key }) where !bundle.ignoring.contains(name) {
      let place = places[name] ?? argument.span
      guard let index = builtin.bundled(name) else {
        let labels = builtin.bundleLabels
        let near = Spelling.nearest(to: name, in: labels.optional)
        report(.unknownLabel(name, of: builtin.name, at: place, near: near, labels: labels))
        continue
      }
      let wanted = builtin.parameters[index]
      if !(wanted.mayBeOmitted ? .optional(wanted.type) : wanted.type).mightAccept(type) {
        report(.wrongType(what: name, expected: wanted.type, found: type.found, at: place))
      }
    }
  }

  private mutating func check(_ given: [Given], of builtin: Builtin, at span: Span) {
    let places = check(given, ArgumentPlan(builtin), at: span)
    for (argument, place) in Swift.zip(given, places) {
      guard let place else { continue }
      let parameter = builtin.parameters[place]
      check(argument, standingFor: parameter, of: builtin)
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

extension Expression {
  /// Where the fields of a record are written that stands here, or behind `with`.
  fileprivate var fieldSpans: [String: Span] {
    switch kind {
    case .record(let fields): Dictionary(fields.map { ($0.name.text, $0.name.span) }) { first, _ in first }
    case .with(let base, let changes): base.fieldSpans.merging(changes.fieldSpans) { $1 }
    default: [:]
    }
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
    case .object(let object): object.number == nil ? .object(object.typeName) : .number
    }
  }
}
