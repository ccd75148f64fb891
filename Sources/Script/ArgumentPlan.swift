/// An argument of a call, as it is written.
protocol WrittenArgument {
  /// The name that it is given by, where there is one.
  var label: Name? { get }
  /// Where its value is written.
  var span: Span { get }
}

/// An argument of a call whose function is known only when it runs.
struct GivenArgument: WrittenArgument {
  let label: Name?
  let value: Value
  let span: Span
}

/// Which parameter each argument of a call is for, as the checker, the compiler and the machine ask.
struct ArgumentPlan {
  struct Slot {
    let name: String
    let mayBeOmitted: Bool
    let isVariadic: Bool
    let isLabelled: Bool
    init(_ name: String, mayBeOmitted: Bool, isVariadic: Bool = false, isLabelled: Bool = false) {
      (self.name, self.mayBeOmitted) = (name, mayBeOmitted)
      (self.isVariadic, self.isLabelled) = (isVariadic, isLabelled)
    }
  }
  let function: String
  let slots: [Slot]

  init(_ function: String, _ slots: [Slot]) { (self.function, self.slots) = (function, slots) }

  init(_ builtin: Builtin) {
    var behindVariadic = false
    var slots: [Slot] = []
    for parameter in builtin.parameters {
      slots.append(
        Slot(
          parameter.label, mayBeOmitted: parameter.mayBeOmitted, isVariadic: parameter.isVariadic,
          isLabelled: parameter.isLabelled || behindVariadic))
      behindVariadic = behindVariadic || parameter.isVariadic
    }
    self.init(builtin.name, slots)
  }

  /// The names of all parameters.
  var labels: Labels {
    Labels(
      required: slots.filter { !$0.mayBeOmitted }.map(\.name), optional: slots.filter(\.mayBeOmitted).map(\.name))
  }

  /// What a call gives: to each parameter, and to the one that takes the rest.
  struct Placed<Argument> {
    var own: [Argument?]
    var rest: [Argument] = []
  }

  /// Brings the arguments of a call to their parameters.
  /// - Throws: what is wrong with the first that has none, or one that has an argument already.
  func placed<Argument: WrittenArgument>(_ arguments: [Argument]) throws(ScriptError) -> Placed<Argument> {
    let places = try places(of: arguments) { error throws(ScriptError) in throw error }
    var placed = Placed<Argument>(own: Array(repeating: nil, count: slots.count))
    for case (let argument, let place?) in zip(arguments, places) {
      if slots[place].isVariadic { placed.rest.append(argument) } else { placed.own[place] = argument }
    }
    return placed
  }

  /// Finds the parameter of each argument of a call.
  /// - Parameter wrong: Called with what is wrong with an argument; the others are placed all the same.
  /// - Returns: For each argument the place of its parameter, nil where it is wrong.
  func places<Argument: WrittenArgument, Failure>(
    of arguments: [Argument], orElse wrong: (ScriptError) throws(Failure) -> Void
  ) throws(Failure) -> [Int?] {
    var taken = Set<Int>()
    var places: [Int?] = []
    for (index, argument) in arguments.enumerated() {
      do throws(ScriptError) {
        let place = try place(of: argument, at: index)
        guard slots[place].isVariadic || taken.insert(place).inserted else {
          throw .duplicate(slots[place].name, kind: "argument", at: argument.label?.span ?? argument.span)
        }
        places.append(place)
      } catch {
        try wrong(error)
        places.append(nil)
      }
    }
    return places
  }

  /// The parameter of the argument at a position of the call.
  private func place(of argument: some WrittenArgument, at index: Int) throws(ScriptError) -> Int {
    if let label = argument.label {
      guard let place = slots.firstIndex(where: { $0.name == label.text }) else {
        throw .unknownLabel(
          label.text, of: function, at: label.span, near: Spelling.nearest(to: label.text, in: slots.map(\.name)),
          labels: labels)
      }
      return place
    }
    if let variadic = slots.firstIndex(where: \.isVariadic), index >= variadic { return variadic }
    guard index < slots.count else { throw .extraArgument(of: function, allowed: slots.count, at: argument.span) }
    guard !slots[index].isLabelled else { throw .labelNeeded(slots[index].name, of: function, at: argument.span) }
    return index
  }
}
