/// Finds what is wrong with a script before it runs: names, arguments, and types where they are known.
///
/// It never guesses: what it does not know is `any`, and passes.
struct Checker {
  let library: Library
  let resolution: Resolution
  private(set) var errors: [ScriptError] = []
  private static let mostErrors = 50

  /// What is known of a variable at the place that is checked.
  struct Knowledge {
    var type: ValueType = .any
    var isDefined = false
    var function: FunctionSyntax?
    /// What a call of it gives.
    var result: ValueType = .any
    /// Whether every value it is given is in sight.
    var isConstant = false

    /// The same where what its functions give may follow from names with other values by now.
    var withoutResult: Knowledge {
      var knowledge = self
      knowledge.result = .any
      return knowledge
    }
  }
  /// What the function gives that was looked at last.
  var lastResult = ValueType.any
  private var known: [ObjectIdentifier: Knowledge] = [:]

  /// The function whose statements are checked, or the outermost level.
  final class Scope {
    let names: FunctionScope
    var loopDepth = 0
    /// What its `return` statements give, all together.
    var returned: ValueType?
    init(_ names: FunctionScope) { self.names = names }
    var isGlobal: Bool { names.isGlobal }
  }

  /// What may leave a statement: nothing that ends a value halfway.
  struct Exits {
    var function = true
    var loop = true
    static let all = Exits()
    static let none = Exits(function: false, loop: false)
  }

  /// Checks a script in a session that knows some global names already.
  ///
  /// - Returns: What is wrong, and what is known of the global names behind its last line.
  static func check(
    _ program: Program, _ resolution: Resolution, library: Library, globals: [String: Knowledge]
  ) -> (errors: [ScriptError], globals: [String: Knowledge]) {
    var checker = Checker(resolution, library)
    for variable in resolution.outermost.variables.values {
      guard var knowledge = globals[variable.name] else { continue }
      // What is assigned again can be anything from the first line on, since functions see it.
      if variable.count > 0 { (knowledge.type, knowledge.function, knowledge.result) = (.any, nil, .any) }
      knowledge.isConstant = variable.count == 0
      checker.known[ObjectIdentifier(variable)] = knowledge
    }
    checker.check(program.statements, Scope(resolution.outermost), .all)
    var known: [String: Knowledge] = [:]
    for variable in resolution.outermost.variables.values {
      if let knowledge = checker.known[ObjectIdentifier(variable)], knowledge.isDefined { known[variable.name] = knowledge }
    }
    return (checker.errors, known)
  }

  private init(_ resolution: Resolution, _ library: Library) {
    (self.resolution, self.library) = (resolution, library)
  }

  mutating func report(_ error: ScriptError) {
    if errors.count < Self.mostErrors, !errors.contains(error) { errors.append(error) }
  }

  func knowledge(of variable: Variable) -> Knowledge {
    known[ObjectIdentifier(variable)] ?? Knowledge(isConstant: variable.count == 1 || variable.kind == .turn)
  }

  // MARK: Statements

  /// - Parameter mayLeave: whether `return` and the like may stand here, which they may not inside a value.
  /// - Returns: the type of the value, where it is the last statement of a block.
  @discardableResult
  mutating func check(_ statement: Statement, _ scope: Scope, _ exits: Exits) -> ValueType {
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
          learn(name, lastResult)
        } else {
          assign(name, itsType)
        }
      }
    case .destructuring(let pattern, let value):
      let itsType = type(of: value, scope)
      if case .list(let elements) = value.kind, case .list(let names, let span) = pattern, names.count != elements.count {
        report(.wrongCount(names: names.count, elements: elements.count, at: span))
      }
      assign(pattern, itsType, value.span)
    case .use:
      if !scope.isGlobal || !exits.function || !exits.loop || scope.loopDepth > 0 {
        report(.misplaced("use", allowed: "at the outermost level", at: statement.span))
      }
    case .function(let function):
      let result = check(function, scope)
      if let name = function.name { learn(name, result) }
    case .parameter(let parameter):
      let name = Name(text: parameter.name, span: parameter.nameSpan)
      guard scope.isGlobal, exits.function, exits.loop, scope.loopDepth == 0 else {
        report(.misplaced("param", allowed: "at the outermost level", at: statement.span))
        break
      }
      let itsType = type(of: parameter.expression, scope)
      if parameter.default == nil { report(.notLiteral(parameter.name, at: parameter.expression.span)) }
      assign(name, itsType == .none ? .any : itsType)
    case .loop(let pattern, let source, let body):
      let sourceType = type(of: source, scope)
      if !ValueType.either([.list, .record, .range, .any]).mightAccept(sourceType), !sourceType.isObject {
        report(.wrongType(what: "what is run through", expected: .list, found: sourceType.found, at: source.span))
      }
      assign(pattern, sourceType.element, source.span)
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
      let itsType = value.map { type(of: $0, scope) } ?? .none
      scope.returned = scope.returned.map { $0.joined(with: itsType) } ?? itsType
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
  mutating func check(_ block: Block, _ scope: Scope, _ exits: Exits) -> ValueType {
    check(block.statements, scope, exits)
  }

  @discardableResult
  mutating func check(_ statements: [Statement], _ scope: Scope, _ exits: Exits) -> ValueType {
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

  mutating func assign(_ name: Name, _ type: ValueType, _ function: FunctionSyntax? = nil) {
    let variable = resolution.target(name)
    var knowledge = knowledge(of: variable)
    knowledge.isDefined = true
    if knowledge.isConstant { (knowledge.type, knowledge.function) = (type, function) }
    known[ObjectIdentifier(variable)] = knowledge
  }

  /// Keeps what calls of a function give, where it is the only value of its name.
  private mutating func learn(_ name: Name, _ result: ValueType) {
    let variable = resolution.target(name)
    guard variable.count == 1, var knowledge = known[ObjectIdentifier(variable)], knowledge.function != nil else { return }
    knowledge.result = result
    known[ObjectIdentifier(variable)] = knowledge
  }

  /// Gives names the parts of a value.
  /// - Parameter source: where the value is written.
  mutating func assign(_ pattern: Pattern, _ type: ValueType, _ source: Span) {
    var seen = Set<String>()
    for name in pattern.names where name.text != "_" && !seen.insert(name.text).inserted {
      report(.duplicate(name.text, kind: "name", at: name.span))
    }
    switch pattern {
    case .name(let name): assign(name, type)
    case .list(let names, _):
      if !ValueType.either([.list, .range]).mightAccept(type), !type.isObject {
        report(.wrongType(what: "what is taken apart", expected: .list, found: type.found, at: source))
      }
      var element = ValueType.any
      switch type {
      case .list, .range: element = type.element
      default: break
      }
      for name in names { assign(name, element) }
    case .record(let names, _): for name in names { assign(name, self.type(ofField: name, type)) }
    }
  }

  /// - Returns: The type of what it gives, as far as that is known.
  @discardableResult
  mutating func check(_ function: FunctionSyntax, _ outer: Scope) -> ValueType {
    let scope = Scope(resolution.scope(of: function))
    var seen = Set<String>()
    for (parameter, variable) in Swift.zip(function.parameters, scope.names.parameters) {
      if !seen.insert(parameter.name.text).inserted {
        report(.duplicate(parameter.name.text, kind: "parameter", at: parameter.name.span))
      }
      if let value = parameter.default { _ = type(of: value, scope) }
      known[ObjectIdentifier(variable)] = Knowledge(isDefined: true)
    }
    let last = check(function.body, scope, .all)
    guard let returned = scope.returned else { return last }
    if case .return? = function.body.statements.last?.kind { return returned }
    return returned.joined(with: last)
  }
}
