import Foundation

private func numeric(
  _ name: String, _ doc: String, example: String, gives: String, _ function: @escaping @Sendable (Double) -> Double
) -> Builtin {
  Builtin(
    name, doc, parameters: [Parameter("x", .number, "A number.")], result: .number,
    examples: [Example(example, gives: gives)], chapter: "Numbers"
  ) { arguments in .number(function(try arguments.number("x"))) }
}

let absBuiltin = numeric("abs", "The number without its sign.", example: "abs(-3)", gives: "3") { Swift.abs($0) }
let floorBuiltin = numeric("floor", "The next integer below.", example: "floor(2.7)", gives: "2") {
  $0.rounded(.down)
}
let ceilBuiltin = numeric("ceil", "The next integer above.", example: "ceil(2.1)", gives: "3") { $0.rounded(.up) }
let sqrtBuiltin = numeric("sqrt", "The square root; nan below 0.", example: "sqrt(9)", gives: "3") { $0.squareRoot() }
let expBuiltin = numeric("exp", "e to the power x.", example: "exp(0)", gives: "1") { Foundation.exp($0) }
let logBuiltin = numeric("log", "The natural logarithm.", example: "log(1)", gives: "0") { Foundation.log($0) }
let log2Builtin = numeric("log2", "The logarithm to base 2.", example: "log2(8)", gives: "3") { Foundation.log2($0) }
let log10Builtin = numeric("log10", "The logarithm to base 10.", example: "log10(1000)", gives: "3") {
  Foundation.log10($0)
}
let sinBuiltin = numeric("sin", "The sine of an angle in radians.", example: "sin(0)", gives: "0") {
  Foundation.sin($0)
}
let cosBuiltin = numeric("cos", "The cosine of an angle in radians.", example: "cos(pi)", gives: "-1") {
  Foundation.cos($0)
}
let tanhBuiltin = numeric("tanh", "The hyperbolic tangent.", example: "tanh(0)", gives: "0") { Foundation.tanh($0) }

let roundBuiltin = Builtin(
  "round", "The nearest number with so many digits behind the point.",
  parameters: [
    Parameter("x", .number, "A number."),
    Parameter("digits", .integer, "How many digits to keep.", default: .number(0), allowed: 0...15),
  ], result: .number, examples: [Example("round(75.849, 1)", gives: "75.8")], chapter: "Numbers"
) { arguments in
  let scale = pow(10, try arguments.number("digits"))
  let scaled = try arguments.number("x") * scale
  return scaled.isFinite ? .number(scaled.rounded() / scale) : arguments.value("x")
}

/// The numbers of a call such as `max(a, b)` or `max(list)`.
private func numbers(_ arguments: Arguments) throws(ScriptError) -> [Double] {
  var numbers: [Double] = []
  for (index, value) in arguments.rest.enumerated() {
    if case .number(let number) = value {
      numbers.append(number)
      continue
    }
    for element in try value.iterated(at: arguments.span(ofRest: index)) ?? [] {
      guard case .number(let number) = element else {
        throw .wrongType(
          what: "values", expected: .list(of: .number), found: "a list with a \(element.typeName)",
          at: arguments.span(ofRest: index))
      }
      numbers.append(number)
    }
  }
  return numbers
}

private func statistic(
  _ name: String, _ doc: String, example: String, gives: String, atLeast: Int = 1,
  _ function: @escaping @Sendable ([Double]) -> Double
) -> Builtin {
  Builtin(
    name, doc,
    parameters: [
      Parameter("values", .either([.number, .list(of: .number)]), "Numbers, or lists of them.", variadic: true)
    ],
    result: .number, examples: [Example(example, gives: gives)], chapter: "Numbers"
  ) { arguments in
    let numbers = try numbers(arguments)
    guard numbers.count >= atLeast else {
      throw arguments.failure("'\(name)' needs \(atLeast == 1 ? "a number" : "at least \(atLeast) numbers")")
    }
    // What is not a number makes the result none, wherever it stands.
    return .number(numbers.contains(where: \.isNaN) ? .nan : function(numbers))
  }
}

let minBuiltin = statistic("min", "The least number; nan where one is nan.", example: "min(3, 1, 2)", gives: "1") {
  $0.reduce($0[0]) { Swift.min($0, $1) }
}
let maxBuiltin = statistic("max", "The greatest number; nan where one is nan.", example: "max([3, 1, 2])", gives: "3") {
  $0.reduce($0[0]) { Swift.max($0, $1) }
}
let sumBuiltin = statistic("sum", "The sum of all.", example: "sum(1...4)", gives: "10", atLeast: 0) { $0.reduce(0, +) }
let meanBuiltin = statistic("mean", "The mean.", example: "mean([1, 2, 6])", gives: "3") {
  $0.reduce(0, +) / Double($0.count)
}
let medianBuiltin = statistic(
  "median", "The number in the middle; nan where one is nan.", example: "median([5, 1, 3])", gives: "3"
) {
  let sorted = $0.sorted()
  let middle = sorted.count / 2
  return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
let std = statistic(
  "std", "The standard deviation of a sample (divided by n - 1).", example: "std([1, 2, 3])", gives: "1", atLeast: 2
) {
  let mean = $0.reduce(0, +) / Double($0.count)
  return ($0.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double($0.count - 1)).squareRoot()
}

let isNan = Builtin(
  "isNan", "Whether a number is nan.", parameters: [Parameter("x", .number, "A number.")], result: .bool,
  examples: [Example("isNan(inf - inf)", gives: "true")], chapter: "Numbers"
) { arguments in .bool(try arguments.number("x").isNaN) }

let numberBuiltin = Builtin(
  "number", "The number that a text says.",
  parameters: [
    Parameter("text", .either([.string, .number]), "Such as \"20_000\", \"1e-3\" or \"50%\"."),
    Parameter("default", .any, "The value where it says none; without one that is an error.", optional: true),
  ], result: .any, examples: [Example(#"number("50%")"#, gives: "0.5")], chapter: "Numbers"
) { arguments in
  guard case .string(let text) = arguments.value("text") else { return arguments.value("text") }
  var digits = text.trimmingCharacters(in: .whitespaces)
  let isNegative = digits.hasPrefix("-")
  if isNegative { digits.removeFirst() }
  var lexer = Lexer(Source(digits, name: ""))
  let tokens = lexer.tokens()
  if lexer.errors.isEmpty, tokens.count == 2, case .number(let number) = tokens[0].kind {
    return .number(isNegative ? -number : number)
  }
  if arguments.gives("default") { return arguments.value("default") }
  throw arguments.failure("\(Value.string(String(text.prefix(60))).literal) is not a number", at: "text")
}
