extension Checker {
  private struct Given: WrittenArgument {
    let label: Name?
    let type: ValueType
    let span: Span
    var value: Expression?
  }

  mutating func type(
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
        return knowledge(of: variable).result
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

  /// Checks what stands in `\(x, digits: 2)`, which is a call of `format`.
  mutating func type(
    ofFormatted value: Expression, _ arguments: [CallArgument], _ span: Span, _ scope: Scope
  ) -> ValueType {
    var given = [Given(label: nil, type: type(of: value, scope), span: value.span, value: value)]
    for argument in arguments {
      let itsType = type(of: argument.value, scope)
      given.append(Given(label: argument.label, type: itsType, span: argument.value.span, value: argument.value))
    }
    check(given, of: formatBuiltin, at: span)
    return formatBuiltin.result
  }

  /// Checks labels and counts. Returns for each argument its parameter, or nil where there is none.
  private mutating func check(_ given: [Given], _ plan: ArgumentPlan, at span: Span) -> [Int?] {
    var isWrong = false
    let places = plan.places(of: given) { error in
      report(error)
      isWrong = true
    }
    if !isWrong {
      for (index, slot) in plan.slots.enumerated() where !slot.mayBeOmitted && !places.contains(index) {
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
    if builtin.hasConditions { checkConditions(given, places, of: builtin) }
  }

  /// Checks that arguments which are written as literals have an effect beside the others.
  private mutating func checkConditions(_ given: [Given], _ places: [Int?], of builtin: Builtin) {
    let hasRecord = places.contains { $0 != nil && $0 == builtin.bundlePlace }
    var known = builtin.parameters.map { parameter -> KnownArgument in
      hasRecord && parameter.isLabelled ? .unknown : .standard(parameter.default ?? .none)
    }
    for case (let argument, let place?) in Swift.zip(given, places) {
      known[place] = argument.value?.literalValue.map(KnownArgument.given) ?? .unknown
    }
    guard let found = builtin.inapplicable(known) else { return }
    let span = Swift.zip(given, places).first { $1 == found.places[0] }?.0.span
    if let span { report(builtin.error(found, at: span)) }
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
