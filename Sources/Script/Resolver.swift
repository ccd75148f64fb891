/// A name that is given a value somewhere: of the outermost level, of a function, or of a comprehension.
final class Variable: @unchecked Sendable {  // Sendable: written by the resolver alone, before anything runs
  enum Kind {
    case global, local, parameter
    /// The variable of a comprehension: every turn has one of its own.
    case turn
  }
  let name: String
  let kind: Kind
  /// The function whose it is. The resolution keeps both.
  unowned let home: FunctionScope
  /// The first place of the text that gives it a value.
  fileprivate(set) var definition: Span?
  /// How many places of the text give it a value.
  fileprivate(set) var count = 0
  /// Where it surely has the value that it keeps. Bytes of the text.
  fileprivate var settled: Range<Int>?
  /// The functions that are made together with it, where it is one that nothing else is assigned to.
  fileprivate(set) var group: FunctionGroup?
  /// Whether functions inside see what is assigned to it later.
  fileprivate(set) var isShared = false

  fileprivate init(_ name: String, _ kind: Kind, of home: FunctionScope) {
    (self.name, self.kind, self.home) = (name, kind, home)
  }

  /// How a function that is made in the variable's home gets at it.
  enum Sight {
    /// The function keeps the value, which cannot change any more.
    case value
    /// The function shares the variable.
    case shared
    /// The function was made together with this one.
    case sibling
    /// A global variable is looked up when it is read.
    case global
  }

  /// - Parameter function: One that is made directly in the variable's home, and uses it, or holds one that does.
  func seen(from function: FunctionScope) -> Sight {
    if let group, group === function.group { return .sibling }
    if function.loops.contains(where: { $0.variable === self && !$0.isReassigned }) { return .value }
    switch kind {
    case .global: return .global
    case .turn: return .value
    case .parameter where count == 0: return .value
    case .parameter, .local: return settled?.contains(function.place) == true ? .value : .shared
    }
  }
}

/// The functions that the statements of one block define: they know each other, whichever comes first.
final class FunctionGroup: Sendable {}

/// The names of one function, or of the outermost level.
final class FunctionScope: @unchecked Sendable {  // Sendable: written by the resolver alone, before anything runs
  /// A loop around the place where a function is made.
  struct Loop {
    let variable: Variable
    /// Whether its body gives the variable other values.
    let isReassigned: Bool
  }
  let parent: FunctionScope?
  /// Where it is made: those that a block defines, at the block's beginning. Bytes of the text.
  let place: Int
  /// The loops of the parent around that place.
  let loops: [Loop]
  let group: FunctionGroup?
  fileprivate(set) var variables: [String: Variable] = [:]
  fileprivate(set) var parameters: [Variable] = []
  /// The variables of comprehensions, for suggestions.
  fileprivate(set) var turnNames: Set<String> = []

  // While it is walked through.
  fileprivate var turns: [Variable] = []
  fileprivate var openLoops: [Loop] = []
  /// Which names defaults may use: earlier parameters, and what defaults assign.
  fileprivate var visible: Set<String>?

  var isGlobal: Bool { parent == nil }

  fileprivate init(parent: FunctionScope?, place: Int, loops: [Loop] = [], group: FunctionGroup? = nil) {
    (self.parent, self.place, self.loops, self.group) = (parent, place, loops, group)
  }

  /// The names that could be meant here.
  var visibleNames: [String] { Array(variables.keys) + turnNames + (parent?.visibleNames ?? []) }
}

/// What a name stands for.
enum Meaning {
  case variable(Variable)
  case builtin(Builtin)
  case constant(Constant)
}

/// What each name of a program stands for.
///
/// Found once: the checker looks for mistakes by it, and the compiler makes places of it.
final class Resolution {
  let outermost = FunctionScope(parent: nil, place: 0)
  private let library: Library
  fileprivate var uses: [Int: Variable] = [:]
  fileprivate var targets: [Int: Variable] = [:]
  fileprivate var scopes: [Int: FunctionScope] = [:]

  /// Resolves the names of a program.
  /// - Parameter known: the global names that have a value already.
  init(_ program: Program, library: Library, known: some Sequence<String>) {
    self.library = library
    for name in known { outermost.variables[name] = Variable(name, .global, of: outermost) }
    var resolver = Resolver(self)
    resolver.resolve(program)
  }

  /// What the name that is read at a place means; nil where there is none of this name.
  ///
  /// A variable hides the built-in of its name, which it means as long as it has no value.
  func meaning(of name: String, at span: Span) -> Meaning? {
    if let variable = uses[span.range.lowerBound] { return .variable(variable) }
    return builtin(name)
  }

  /// What the library has of a name.
  func builtin(_ name: String) -> Meaning? {
    if let builtin = library.builtin(name) { return .builtin(builtin) }
    if let constant = library.constant(name) { return .constant(constant) }
    return nil
  }

  /// The variable that is given a value at a place.
  func target(_ name: Name) -> Variable {
    guard let variable = targets[name.span.range.lowerBound] else { preconditionFailure("'\(name.text)' has no place") }
    return variable
  }

  /// The names of a function.
  func scope(of function: FunctionSyntax) -> FunctionScope {
    guard let scope = scopes[function.body.span.range.lowerBound] else { preconditionFailure("a function has names") }
    return scope
  }
}

/// Walks once over a program and finds what each name stands for.
private struct Resolver {
  private let resolution: Resolution

  init(_ resolution: Resolution) { self.resolution = resolution }

  mutating func resolve(_ program: Program) {
    let scope = resolution.outermost
    declare(AssignedNames(program.statements), .global, scope)
    visit(program.statements, in: 0..<program.source.bytes.count, scope)
  }

  private func declare(_ assigned: AssignedNames, _ kind: Variable.Kind, _ scope: FunctionScope) {
    for name in assigned.names {
      let variable = scope.variables[name.text] ?? Variable(name.text, kind, of: scope)
      if variable.definition == nil { variable.definition = name.span }
      variable.count += assigned.counts[name.text] ?? 0
      scope.variables[name.text] = variable
    }
  }

  // MARK: Names

  private func lookUp(_ name: String, _ scope: FunctionScope) -> Variable? {
    var here: FunctionScope? = scope
    var inner: FunctionScope?
    while let scope = here {
      var found = scope.turns.last { $0.name == name }
      if found == nil, scope.visible?.contains(name) != false { found = scope.variables[name] }
      if let found {
        if let inner, case .shared = found.seen(from: inner) { found.isShared = true }
        return found
      }
      (here, inner) = (scope.parent, scope)
    }
    return nil
  }

  private func use(_ name: String, at span: Span, _ scope: FunctionScope) {
    if let variable = lookUp(name, scope) { resolution.uses[span.range.lowerBound] = variable }
  }

  @discardableResult
  private func assign(_ name: Name, _ scope: FunctionScope) -> Variable {
    // What assigned names misses would end the process; a variable too many does not.
    let variable =
      scope.turns.last { $0.name == name.text } ?? scope.variables[name.text]
      ?? Variable(name.text, scope.isGlobal ? .global : .local, of: scope)
    if scope.variables[name.text] == nil, variable.kind != .turn { scope.variables[name.text] = variable }
    resolution.targets[name.span.range.lowerBound] = variable
    return variable
  }

  // MARK: Statements

  private mutating func visit(_ block: Block, _ scope: FunctionScope) {
    visit(block.statements, in: block.span.range, scope)
  }

  private mutating func visit(_ statements: [Statement], in range: Range<Int>, _ scope: FunctionScope) {
    let group = FunctionGroup()
    for statement in statements {
      guard case .function(let function) = statement.kind, let name = function.name else { continue }
      let variable = assign(name, scope)
      guard variable.count == 1, variable.kind == .local else { continue }
      variable.group = group
      variable.settled = range
    }
    for statement in statements { visit(statement, group, beginning: range.lowerBound, scope) }
  }

  private mutating func visit(
    _ statement: Statement, _ group: FunctionGroup, beginning: Int, _ scope: FunctionScope
  ) {
    switch statement.kind {
    case .expression(let value): visit(value, scope)
    case .assignment(let name, let value):
      if case .function(let function) = value.kind, let variable = scope.variables[name.text], variable.count == 1,
        variable.kind == .local
      {
        // Made as a group of its own, so that it can call itself.
        let group = FunctionGroup()
        variable.group = group
        visit(function, group, at: value.span.range.lowerBound, scope)
      } else {
        visit(value, scope)
      }
      assign(name, scope)
    case .destructuring(let pattern, let value):
      visit(value, scope)
      for name in pattern.names { assign(name, scope) }
    case .function(let function): visit(function, group, at: beginning, scope)
    case .parameter(let parameter):
      visit(parameter.expression, scope)
      assign(Name(text: parameter.name, span: parameter.nameSpan), scope)
    case .loop(let pattern, let source, let body):
      visit(source, scope)
      let reassigned = AssignedNames(body.statements).counts
      for name in pattern.names {
        let variable = assign(name, scope)
        scope.openLoops.append(.init(variable: variable, isReassigned: reassigned[name.text] != nil))
      }
      visit(body, scope)
      scope.openLoops.removeLast(pattern.names.count)
    case .whileLoop(let condition, let body):
      visit(condition, scope)
      visit(body, scope)
    case .return(let value): if let value { visit(value, scope) }
    case .break, .continue, .text, .use: break
    }
  }

  private mutating func visit(
    _ function: FunctionSyntax, _ group: FunctionGroup?, at place: Int, _ outer: FunctionScope
  ) {
    let scope = FunctionScope(parent: outer, place: place, loops: outer.openLoops, group: group)
    resolution.scopes[function.body.span.range.lowerBound] = scope
    for parameter in function.parameters {
      let variable = Variable(parameter.name.text, .parameter, of: scope)
      variable.definition = parameter.name.span
      scope.variables[parameter.name.text] = variable
      scope.parameters.append(variable)
    }
    let assigned = AssignedNames(function.body.statements)
    declare(assigned, .local, scope)
    // A default sees the parameters before it and what is around the function, not what the body assigns.
    let defaults = function.parameters.compactMap(\.default)
    if !defaults.isEmpty {
      let assigned = AssignedNames(defaults.map { Statement(kind: .expression($0), span: $0.span) })
      declare(assigned, .local, scope)
      scope.visible = Set(assigned.names.map(\.text))
      for parameter in function.parameters {
        if let value = parameter.default { visit(value, scope) }
        scope.visible?.insert(parameter.name.text)
      }
      scope.visible = nil
    }
    // What a statement of the body itself assigns, and no other does, is settled behind it.
    for statement in function.body.statements {
      guard case .assignment(let name, _) = statement.kind, let variable = scope.variables[name.text],
        variable.kind == .local, variable.count == 1
      else { continue }
      let (from, to) = (statement.span.range.upperBound, function.body.span.range.upperBound)
      variable.settled = from..<max(from, to)
    }
    visit(function.body, scope)
  }

  // MARK: Expressions

  private mutating func visit(_ expression: Expression, _ scope: FunctionScope) {
    switch expression.kind {
    case .name(let name): use(name, at: expression.span, scope)
    case .function(let function): visit(function, nil, at: expression.span.range.lowerBound, scope)
    case .comprehension(let element, let pattern, let source, let condition):
      visit(source, scope)
      for name in pattern.names {
        let variable = Variable(name.text, .turn, of: scope)
        variable.definition = name.span
        scope.turnNames.insert(name.text)
        resolution.targets[name.span.range.lowerBound] = variable
        scope.turns.append(variable)
      }
      if let condition { visit(condition, scope) }
      visit(element, scope)
      scope.turns.removeLast(pattern.names.count)
    case .call(let callee, let arguments):
      if case .field(let base, let name) = callee.kind {
        visit(base, scope)
        use(name.text, at: name.span, scope)
      } else {
        visit(callee, scope)
      }
      for argument in arguments { visit(argument.value, scope) }
    case .conditional(let condition, let then, let otherwise):
      visit(condition, scope)
      visit(then, scope)
      if let otherwise { visit(otherwise, scope) }
    default: for child in expression.children { visit(child, scope) }
    }
  }
}
