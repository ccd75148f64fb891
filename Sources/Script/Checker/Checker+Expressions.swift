extension Checker {
  func visibleNames(_ scope: Scope) -> [String] { library.names + scope.names.visibleNames }

  /// What a name surely means where it is read; a variable that may have got a value by then hides the built-in.
  func meaning(of name: String, at span: Span, _ scope: Scope) -> Meaning? {
    let meaning = resolution.meaning(of: name, at: span)
    guard case .variable(let variable)? = meaning else { return meaning }
    return isUnset(variable, scope) ? resolution.builtin(name) ?? meaning : meaning
  }

  /// Whether a variable surely has no value yet.
  private func isUnset(_ variable: Variable, _ scope: Scope) -> Bool {
    !knowledge(of: variable).isDefined && variable.home === scope.names && scope.loopDepth == 0
  }

  mutating func type(ofName name: String, at span: Span, _ scope: Scope) -> ValueType {
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

  mutating func require(_ expected: ValueType, _ value: Expression, _ what: String, _ scope: Scope) {
    let found = type(of: value, scope)
    if !expected.mightAccept(found) {
      report(.wrongType(what: what, expected: expected, found: found.found, at: value.span))
    }
  }

  mutating func type(of expression: Expression, _ scope: Scope, _ exits: Exits = .none) -> ValueType {
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
      assign(variable, sourceType.element, source.span)
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
    case .computedRecord(let fields):
      for field in fields {
        require(.string, field.key, "the name of a field", scope)
        _ = type(of: field.value, scope)
      }
      return .record
    case .formatted(let value, let arguments): return type(ofFormatted: value, arguments, expression.span, scope)
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
      lastResult = check(function, scope)
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

  mutating func type(
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
    if binary == .otherwise { return a.unwrapped.widened.joined(with: b.widened) }
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
  func fields(of type: ValueType) -> [String: ValueType]? {
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

  mutating func type(ofField name: Name, _ base: ValueType) -> ValueType {
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
}
