import Foundation

private func numeric(
  _ name: String, _ doc: String, example: String, gives: String, _ function: @escaping @Sendable (Double) -> Double
) -> Builtin {
  Builtin(
    name, doc, parameters: [Parameter("x", .number, "A number.")], result: .number,
    examples: [Example(example, gives: gives)], chapter: "Numbers"
  ) { arguments in .number(function(try arguments.number("x"))) }
}

let absBuiltin = numeric("abs", "Returns the absolute value.", example: "abs(-3)", gives: "3") { Swift.abs($0) }
let floorBuiltin = numeric("floor", "Returns the largest integer that is not above x.", example: "floor(2.7)", gives: "2") {
  $0.rounded(.down)
}
let ceilBuiltin = numeric("ceil", "Returns the smallest integer that is not below x.", example: "ceil(2.1)", gives: "3") { $0.rounded(.up) }
let sqrtBuiltin = numeric("sqrt", "Returns the square root; nan below 0.", example: "sqrt(9)", gives: "3") { $0.squareRoot() }
let expBuiltin = numeric("exp", "Returns e to the power x.", example: "exp(0)", gives: "1") { Foundation.exp($0) }
let logBuiltin = numeric("log", "Returns the natural logarithm.", example: "log(1)", gives: "0") { Foundation.log($0) }
let log2Builtin = numeric("log2", "Returns the logarithm to base 2.", example: "log2(8)", gives: "3") { Foundation.log2($0) }
let log10Builtin = numeric("log10", "Returns the logarithm to base 10.", example: "log10(1000)", gives: "3") {
  Foundation.log10($0)
}
let sinBuiltin = numeric("sin", "Returns the sine of an angle in radians.", example: "sin(0)", gives: "0") {
  Foundation.sin($0)
}
let cosBuiltin = numeric("cos", "Returns the cosine of an angle in radians.", example: "cos(pi)", gives: "-1") {
  Foundation.cos($0)
}
let tanhBuiltin = numeric("tanh", "Returns the hyperbolic tangent.", example: "tanh(0)", gives: "0") { Foundation.tanh($0) }

let roundBuiltin = Builtin(
  "round", "Rounds a number to a number of decimal digits.",
  parameters: [
    Parameter("x", .number, "A number."),
    Parameter("digits", .integer, "Digits after the decimal point.", default: .number(0), allowed: 0...15),
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

let minBuiltin = statistic("min", "Returns the smallest number; nan if one of them is nan.", example: "min(3, 1, 2)", gives: "1") {
  $0.reduce($0[0]) { Swift.min($0, $1) }
}
let maxBuiltin = statistic("max", "Returns the largest number; nan if one of them is nan.", example: "max([3, 1, 2])", gives: "3") {
  $0.reduce($0[0]) { Swift.max($0, $1) }
}
let sumBuiltin = statistic("sum", "Returns the sum.", example: "sum(1...4)", gives: "10", atLeast: 0) { $0.reduce(0, +) }
let meanBuiltin = statistic("mean", "Returns the arithmetic mean.", example: "mean([1, 2, 6])", gives: "3") {
  $0.reduce(0, +) / Double($0.count)
}
let medianBuiltin = statistic(
  "median", "Returns the median; nan if one of the numbers is nan.", example: "median([5, 1, 3])", gives: "3"
) {
  let sorted = $0.sorted()
  let middle = sorted.count / 2
  return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
let std = statistic(
  "std", "Returns the sample standard deviation (divided by n - 1).", example: "std([1, 2, 3])", gives: "1", atLeast: 2
) {
  let mean = $0.reduce(0, +) / Double($0.count)
  return ($0.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double($0.count - 1)).squareRoot()
}

let isNan = Builtin(
  "isNan", "Returns whether a number is nan.", parameters: [Parameter("x", .number, "A number.")], result: .bool,
  examples: [Example("isNan(inf - inf)", gives: "true")], chapter: "Numbers"
) { arguments in .bool(try arguments.number("x").isNaN) }

let numberBuiltin = Builtin(
  "number", "Converts a string to a number.",
  parameters: [
    Parameter("text", .either([.string, .number]), "Such as \"20_000\", \"1e-3\" or \"50%\"."),
    Parameter("default", .any, "Value if the string is not a number. Without a default that is an error.", optional: true),
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
